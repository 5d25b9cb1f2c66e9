import type { Channels, LoadedChannel } from '../channels.ts';
import type { Inbound } from '../envelope.ts';
import type { IngestChannel, IngestRequest } from '../ingest/item.ts';

type Routed = Pick<IngestRequest, 'inbound' | 'channelOf' | 'leftOut'>;

/**
 * Finds the channels of a batch whose items are for several accounts: another channel of the business that the
 * same secret speaks for. What is for nobody here is left out, and said so.
 */
export async function routeItems(
  channels: Pick<Channels, 'byAccount'>,
  called: LoadedChannel,
  inbound: Inbound[],
): Promise<Routed> {
  const accounts = new Set(inbound.flatMap(({ account }) => account ?? []));
  if (accounts.size === 0) return { inbound };
  const found = new Map<string, IngestChannel>();
  for (const account of accounts) {
    const other = await channels.byAccount(account);
    if (other !== undefined && speaksFor(called, other)) found.set(account, ingestChannel(other));
  }
  const isOurs = ({ account }: Inbound) => account === undefined || found.has(account);
  const unknown = [...accounts].filter((account) => !found.has(account));
  return {
    inbound: inbound.filter(isOurs),
    channelOf: new Map(
      inbound.flatMap((one) => {
        const channel = found.get(one.account ?? '');
        return channel === undefined ? [] : [[one, channel]];
      }),
    ),
    leftOut: unknown.length === 0 ? undefined : `for no channel of yours: ${unknown.join(', ')}`,
  };
}

function speaksFor(called: LoadedChannel, other: LoadedChannel): boolean {
  if (other.row.business_id !== called.row.business_id || other.row.type !== called.row.type) return false;
  return called.adapter.door?.sharesSecret?.(called.channel, other.channel) ?? false;
}

/** The channel as ingest needs it. */
export function ingestChannel({ row, adapter }: LoadedChannel): IngestChannel {
  const { id, business_id: businessId, type, reopen } = row;
  return { id, businessId, type, reopen, replyWindowMs: adapter.replyWindowMs };
}
