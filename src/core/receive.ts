import type { Door, DoorAnswer, DoorRequest } from './adapter.ts';
import { ingestChannel, routeItems } from './channels/route-items.ts';
import type { Channels, LoadedChannel } from './channels.ts';
import type { BlockList } from './customers/block-list.ts';
import { type CustomerTyping, typingCustomers } from './customers/typing-customers.ts';
import type { Pool } from './database/connect.ts';
import type { Inbound } from './envelope.ts';
import { AppError } from './errors.ts';
import { isUuid, newId } from './id.ts';
import { type Accepted, BLOCKED, type IngestRequest, type RawRequest } from './ingest/item.ts';
import { findKept, keptOf, parseKept, type RawUpdate, rawOf, sourceRaw } from './ingest/kept-request.ts';
import type { Ingest } from './ingest.ts';
import type { Log } from './log.ts';
import { createSlots } from './slots.ts';

export type { Accepted } from './ingest/item.ts';

export interface Receiver {
  /**
   * A provider's HTTP request at /webhooks/{type}/{channelId}; answers after the commit. Throws AppError `not_found`
   * for an unknown or inactive channel, `unauthorized` or `forbidden` for a wrong signature or challenge, `unavailable` when
   * nothing was stored.
   */
  request(type: string, channelId: string, request: DoorRequest): Promise<DoorAnswer>;
  /** What a source of ours read (polling, sockets), already trusted; resolves after the commit. */
  accept(channel: { id: string }, raw: RawUpdate, inbound: Inbound[]): Promise<Accepted[]>;
  /** Receives a kept request again, as the adapter understands it today. Throws AppError `not_found` or `conflict`. */
  replay(businessId: string, inboundRequestId: string): Promise<Accepted[]>;
}

interface ReceiverOptions {
  pool: Pool;
  channels: Channels;
  ingest: Ingest;
  blockList: BlockList;
  /** Shows agents that a customer types; nothing of it is stored. */
  showTyping?(typing: CustomerTyping): void;
  log: Log;
}

type Parse = () => Inbound[] | Promise<Inbound[]>;

// Reading a request takes some times its size in memory: a mail of 25 MB has its turn alone.
const LARGE_BYTES = 1024 * 1024;
const LARGE_AT_ONCE = 1;

/** The one door in: everything received passes here on its way to ingest. */
export function createReceiver(options: ReceiverOptions): Receiver {
  const { pool, channels, ingest, blockList, log } = options;

  async function active(channelId: string): Promise<LoadedChannel> {
    const loaded = isUuid(channelId) ? await channels.load(channelId) : undefined;
    if (loaded === undefined || !loaded.row.is_active)
      throw new AppError('not_found', 'there is no such channel');
    return loaded;
  }

  const storing = createSlots(LARGE_AT_ONCE);

  async function submit(loaded: LoadedChannel, request: IngestRequest, parse: Parse): Promise<Accepted[]> {
    if (request.raw.body.byteLength < LARGE_BYTES) return take(loaded, request, parse);
    const giveBack = await storing.take();
    return take(loaded, request, parse).finally(giveBack);
  }

  async function take(loaded: LoadedChannel, request: IngestRequest, parse: Parse): Promise<Accepted[]> {
    const inbound = await read(loaded, request, parse);
    if (inbound === undefined) return [];
    request.inbound = inbound;
    if (inbound.some(({ account }) => account !== undefined))
      Object.assign(request, await routeItems(channels, loaded, inbound));
    const accepted = await letIn(request);
    acknowledge(loaded, request.inbound, accepted);
    return accepted;
  }

  /** What the adapter understands; undefined where it understands nothing and the request was kept raw. */
  async function read(loaded: LoadedChannel, request: IngestRequest, parse: Parse) {
    try {
      return await parse();
    } catch (error) {
      await ingest.keepFailed(request, `unreadable: ${error instanceof Error ? error.message : 'unknown'}`);
      log.warn(
        { err: error, channel: request.channel.id, request: request.id },
        'kept a request that cannot be read',
      );
      if (loaded.adapter.door?.tellsMistakes === true) throw error;
      return undefined;
    }
  }

  /** What blocked senders write is kept raw only; the answers stay in the order of what was brought. */
  async function letIn(request: IngestRequest): Promise<Accepted[]> {
    const { channel, inbound } = request;
    const isBlocked = await blockList.of(channel.businessId, inbound);
    if (!inbound.some(isBlocked)) return ingest.submit(request);
    const others = inbound.filter((one) => !isBlocked(one));
    const stored = await ingest.submit({ ...request, isBlocked: true, inbound: others });
    return inbound.flatMap((one) => (isBlocked(one) ? [BLOCKED] : stored.splice(0, 1)));
  }

  /** Tells the provider that we have it (a pressed button stops spinning); nothing depends on it. */
  function acknowledge({ adapter, channel }: LoadedChannel, inbound: Inbound[], accepted: Accepted[]): void {
    if (adapter.acknowledge === undefined) return;
    const fresh = inbound.filter((_, index) => accepted[index]?.duplicate === false);
    for (const one of fresh) {
      adapter
        .acknowledge(one, channel)
        .catch((error) => log.warn({ err: error, channel: channel.id }, 'acknowledging failed'));
    }
  }

  /** Shows who types; true when the request holds nothing to store. */
  async function isOnlyTyping({ row, channel }: LoadedChannel, door: Door<unknown>, request: DoorRequest) {
    const signs = door.typing?.(request) ?? [];
    if (signs.length === 0) return false;
    for (const typing of await typingCustomers(pool, row.id, signs)) options.showTyping?.(typing);
    return (await door.parse(request, channel)).length === 0;
  }

  return {
    async request(type, channelId, request) {
      const loaded = await active(channelId);
      const { adapter, channel, row } = loaded;
      const { door } = adapter;
      if (door === undefined || row.type !== type)
        throw new AppError('not_found', 'there is no such channel');
      if (request.method === 'GET') return challenged(door, request, loaded);
      if (!door.verify(request, channel))
        throw new AppError('unauthorized', 'the signature is missing or wrong');
      if (await isOnlyTyping(loaded, door, request)) return answerOf(door, []);
      const accepted = await submit(loaded, newRequest(loaded, keptOf(request)), () =>
        door.parse(request, channel),
      );
      return answerOf(door, accepted);
    },

    async accept(channel, raw, inbound) {
      const loaded = await active(channel.id);
      return await submit(loaded, newRequest(loaded, sourceRaw(loaded, raw, inbound)), () => inbound);
    },

    async replay(businessId, id) {
      const kept = await findKept(pool, businessId, id);
      const loaded = await active(kept.channel_id);
      const again = { ...newRequest(loaded, rawOf(kept)), id, receivedAt: kept.received_at, isReplay: true };
      return await submit(loaded, again, () => parseKept(kept, loaded));
    },
  };
}

/** What a provider asks before it trusts a door. */
function challenged(door: Door<unknown>, request: DoorRequest, { channel }: LoadedChannel): DoorAnswer {
  const answer = door.challenge?.(request, channel);
  if (answer === undefined) throw new AppError('forbidden', 'the challenge does not match');
  return answer;
}

function answerOf(door: Door<unknown>, accepted: Accepted[]): DoorAnswer {
  return door.answer?.(accepted) ?? { status: 200, body: '' };
}

function newRequest(loaded: LoadedChannel, raw: RawRequest): IngestRequest {
  return { id: newId(), receivedAt: new Date(), channel: ingestChannel(loaded), raw, inbound: [] };
}
