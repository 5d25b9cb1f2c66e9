import type { Channels, LoadedChannel } from '../channels.ts';
import type { Pool } from '../database/connect.ts';
import { SendRejected } from '../errors.ts';
import type { Log } from '../log.ts';
import { loop } from '../loop.ts';
import type { Receiver } from '../receive.ts';

interface CatchUpOptions {
  pool: Pool;
  channels: Pick<Channels, 'find' | 'markBroken'>;
  receiver: Pick<Receiver, 'accept'>;
  log: Log;
}

const POLL_MS = 2_000;

/** Compares what providers had of late with what they told us, each channel in one process at a time. */
export function startCatchUp(options: CatchUpOptions): { stop(): Promise<void> } {
  const { pool, log } = options;
  const stopping = new AbortController();
  const looking = loop({
    everyMs: POLL_MS,
    async turn() {
      const due = await takeDue(pool);
      await Promise.all(due.map((row) => catchUp(row, stopping.signal, options)));
      return due.length > 0;
    },
    onError: (error) => log.warn({ err: error }, 'could not look which channels to compare'),
  });
  return {
    async stop() {
      stopping.abort();
      await looking.stop();
    },
  };
}

interface Due {
  id: string;
  business_id: string;
  seen_until: Date;
}

// Longer than a comparison may take, so that nobody else begins one meanwhile; also the wait after a failed one.
const TAKEN_FOR_SECONDS = 90;
const DEADLINE_MS = 80_000;
const AT_ONCE = 20;

function takeDue(pool: Pool) {
  return pool<Due[]>`
    update channels set catch_up_at = now() + make_interval(secs => ${TAKEN_FOR_SECONDS})
    where id in (
      select id from channels
      where coalesce(catch_up_at, created_at) <= now() and is_active and broken_at is null and deleted_at is null
      order by coalesce(catch_up_at, created_at) limit ${AT_ONCE} for update skip locked)
    returning id, business_id, coalesce(caught_up_at, created_at) as seen_until`;
}

// Where no callback can reach us the list is all there is.
const EVERY_SECONDS = { withDoor: 300, withoutDoor: 10, withoutList: 86_400 };
// A message may show up in the list later than the time it bears.
const OVERLAP_MS = 600_000;

async function catchUp(due: Due, stopping: AbortSignal, options: CatchUpOptions): Promise<void> {
  const { pool, channels, log } = options;
  try {
    const loaded = await channels.find(pool, due.business_id, due.id);
    const begunAt = new Date();
    const until = loaded.adapter.catchUp && windowEnd(due.seen_until, begunAt);
    await compare(loaded, { due, until, stopping, options });
    const waitSeconds = until === undefined ? secondsTillNext(loaded) : 0;
    await pool`
      update channels set caught_up_at = ${until ?? begunAt}, catch_up_at = now() + make_interval(secs => ${waitSeconds})
      where id = ${due.id}`;
  } catch (error) {
    if (stopping.aborted) return;
    log.warn({ err: error, channel: due.id }, 'comparing with the provider failed');
    if (error instanceof SendRejected && error.channelBroken)
      await channels.markBroken(due.id, error.message);
  }
}

// After an outage as much at a time as can surely be listed before the deadline.
const WINDOW_MS = 3_600_000;

/** Where this comparison ends; undefined when all that is missing fits into it. */
function windowEnd(seenUntil: Date, now: Date): Date | undefined {
  const end = new Date(seenUntil.getTime() + WINDOW_MS);
  return end < now ? end : undefined;
}

function secondsTillNext({ adapter, channel }: LoadedChannel): number {
  if (adapter.catchUp === undefined) return EVERY_SECONDS.withoutList;
  return channel.doorUrl === undefined ? EVERY_SECONDS.withoutDoor : EVERY_SECONDS.withDoor;
}

interface Comparing {
  due: Due;
  until: Date | undefined;
  stopping: AbortSignal;
  options: CatchUpOptions;
}

async function compare(
  { adapter, channel }: LoadedChannel,
  { due, until, stopping, options: { pool, receiver, log } }: Comparing,
): Promise<void> {
  let found = 0;
  await adapter.catchUp?.(channel, {
    since: new Date(due.seen_until.getTime() - OVERLAP_MS),
    until,
    signal: AbortSignal.any([stopping, AbortSignal.timeout(DEADLINE_MS)]),
    missing: (ids) => missing(pool, channel.id, ids),
    ours: (ids) => ours(pool, channel.id, ids),
    async receive(raw, inbound) {
      found += inbound.length;
      await receiver.accept({ id: channel.id }, raw, inbound);
    },
  });
  if (found > 0) log.info({ channel: channel.id, found }, 'received what no callback had told');
}

async function missing(pool: Pool, channelId: string, ids: string[]): Promise<Set<string>> {
  const rows = await pool<{ id: string }[]>`
    select id from unnest(${ids}::text[]) as id
    where not exists (select 1 from inbound_keys where channel_id = ${channelId} and external_event_id = id)`;
  return new Set(rows.map(({ id }) => id));
}

async function ours(pool: Pool, channelId: string, ids: string[]): Promise<Set<string>> {
  const rows = await pool<{ external_id: string }[]>`
    select external_id from provider_ids
    where channel_id = ${channelId} and external_id = any(${ids}) and message_id is not null`;
  return new Set(rows.map(({ external_id }) => external_id));
}
