import type { Inbound } from '../envelope.ts';
import type { Item } from './item.ts';

export interface ExternalRef {
  channel_id: string;
  external_id: string;
}

/** The provider's ids of earlier messages that the items speak of. */
export function externalRefs(items: Item[]): ExternalRef[] {
  return items.flatMap(({ channel, inbound }) => {
    return namedIn(inbound).map((external_id) => ({ channel_id: channel.id, external_id }));
  });
}

function namedIn(inbound: Inbound): string[] {
  if (inbound.kind !== 'message') return 'externalId' in inbound ? [inbound.externalId] : [];
  const { replyToExternalId, references = [] } = inbound;
  return replyToExternalId === undefined ? references : [...new Set([replyToExternalId, ...references])];
}
