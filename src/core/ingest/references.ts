import type { Inbound } from '../envelope.ts';
import type { Item } from './item.ts';

export interface ExternalRef {
  channel_id: string;
  external_id: string;
}

/** The provider's ids of earlier messages that the items speak of. */
export function externalRefs(items: Item[]): ExternalRef[] {
  return items.flatMap(({ channel, inbound }) => {
    const external_id = inbound.kind === 'message' ? inbound.replyToExternalId : externalIdOf(inbound);
    return external_id === undefined ? [] : [{ channel_id: channel.id, external_id }];
  });
}

function externalIdOf(inbound: Inbound): string | undefined {
  return 'externalId' in inbound ? inbound.externalId : undefined;
}
