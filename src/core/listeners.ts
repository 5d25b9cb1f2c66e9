import { setTimeout as sleep } from 'node:timers/promises';
import type { ChannelRegistry, ListenContext } from './adapter.ts';
import type { Channels, LoadedChannel } from './channels.ts';
import type { Pool } from './database/connect.ts';
import { SendRejected } from './errors.ts';
import { holdLease } from './leases.ts';
import type { Log } from './log.ts';
import { loop } from './loop.ts';
import type { Receiver } from './receive.ts';
import type { Wake } from './wake.ts';

interface ListenersOptions {
  pool: Pool;
  registry: ChannelRegistry;
  channels: Pick<Channels, 'load' | 'doorUrl' | 'markBroken' | 'keepSecret'>;
  receiver: Pick<Receiver, 'accept'>;
  wake: Wake;
  log: Log;
  /** How long a process that died keeps the others from listening. */
  leaseMs?: number;
}

interface Listener {
  /** What it was started with: another setting or address needs another listener. */
  fingerprint: string;
  stop(): Promise<void>;
}

const POLL_MS = 10_000;
const LEASE_MS = 15_000;

/** Holds open the sources of all channels that need it, each in one process at a time. Stop waits for the commits in flight. */
export function startListeners(options: ListenersOptions): { stop(): Promise<void> } {
  const { wake, log } = options;
  const running = new Map<string, Listener>();
  const reconciling = loop({
    everyMs: POLL_MS,
    turn: async () => {
      await reconcile(running, options);
      return false;
    },
    onError: (error) => log.warn({ err: error }, 'could not look which channels to listen to'),
  });
  const unsubscribe = wake.on('channel', () => reconciling.wake());
  return {
    async stop() {
      unsubscribe();
      await reconciling.stop();
      await Promise.all([...running.values()].map((listener) => listener.stop()));
    },
  };
}

async function reconcile(running: Map<string, Listener>, options: ListenersOptions): Promise<void> {
  const wanted = await wantedChannels(options);
  const ended = [...running].filter(([id, { fingerprint }]) => wanted.get(id)?.fingerprint !== fingerprint);
  await Promise.all(
    ended.map(async ([id, listener]) => {
      await listener.stop();
      running.delete(id);
    }),
  );
  for (const [id, { loaded, fingerprint }] of wanted) {
    if (!running.has(id)) running.set(id, { fingerprint, ...listenTo(loaded, options) });
  }
}

interface Wanted {
  loaded: LoadedChannel;
  fingerprint: string;
}

async function wantedChannels({
  pool,
  registry,
  channels,
  log,
}: ListenersOptions): Promise<Map<string, Wanted>> {
  const types = [...registry.values()]
    .filter((adapter) => adapter.listen !== undefined)
    .map(({ type }) => type);
  const rows = await pool<{ id: string }[]>`
    select id from channels where is_active and deleted_at is null and type in ${pool(types)} order by id`;
  const wanted = new Map<string, Wanted>();
  for (const { id } of rows) {
    const loaded = await channels.load(id).catch((error: unknown) => {
      log.warn({ err: error, channel: id }, 'could not load a channel to listen to');
      return undefined;
    });
    const doorUrl = loaded && channels.doorUrl(loaded.row);
    if (!loaded?.row.is_active || !loaded.adapter.shouldListen?.(loaded.channel, doorUrl)) continue;
    wanted.set(id, { loaded, fingerprint: JSON.stringify([loaded.channel.settings, doorUrl]) });
  }
  return wanted;
}

function listenTo(loaded: LoadedChannel, options: ListenersOptions): { stop(): Promise<void> } {
  const { pool, log, leaseMs = LEASE_MS } = options;
  return holdLease(pool, { key: `listen:${loaded.channel.id}`, ttlMs: leaseMs, log }, (signal) =>
    keepListening(loaded, signal, options),
  );
}

const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 60_000;
// A source that was open for so long has not failed at once.
const STEADY_MS = 10_000;

/** A source that fails is opened again, after ever longer pauses while it fails at once. */
async function keepListening(
  loaded: LoadedChannel,
  signal: AbortSignal,
  options: ListenersOptions,
): Promise<void> {
  const { channels, log } = options;
  for (let pauseMs = FIRST_PAUSE_MS; !signal.aborted; ) {
    const startedAt = performance.now();
    try {
      await loaded.adapter.listen?.(loaded.channel, await contextOf(loaded, signal, options));
    } catch (error) {
      log.warn({ err: error, channel: loaded.channel.id }, 'listening failed');
      if (refusesAccount(error)) await channels.markBroken(loaded.channel.id, error.message).catch(() => {});
    }
    if (performance.now() - startedAt > STEADY_MS) pauseMs = FIRST_PAUSE_MS;
    await sleep(pauseMs, undefined, { signal }).catch(() => {});
    pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
  }
}

function refusesAccount(error: unknown): error is SendRejected {
  return error instanceof SendRejected && error.channelBroken;
}

async function contextOf(
  { channel }: LoadedChannel,
  signal: AbortSignal,
  { pool, channels, receiver, log }: ListenersOptions,
): Promise<ListenContext> {
  const [row] = await pool<{ listen_state: Record<string, unknown> }[]>`
    select listen_state from channels where id = ${channel.id}`;
  return {
    signal,
    state: row?.listen_state ?? {},
    async receive(raw, inbound) {
      await receiver.accept({ id: channel.id }, raw, inbound);
    },
    async saveState(state) {
      await pool`update channels set listen_state = ${pool.json(state as never)} where id = ${channel.id}`;
    },
    keepSecret: (key, value) => channels.keepSecret(channel.id, key, value),
    log: (message, facts) => log.info({ ...facts, channel: channel.id }, message),
  };
}
