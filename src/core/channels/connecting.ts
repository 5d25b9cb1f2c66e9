import type { ChannelRow, Channels } from '../channels.ts';
import type { Pool } from '../database/connect.ts';
import type { Log } from '../log.ts';
import { loop } from '../loop.ts';

interface ConnectingOptions {
  pool: Pool;
  channels: Pick<Channels, 'find' | 'connect' | 'doorUrl'>;
  /** Undefined where this process does not know how the world reaches the others. */
  publicUrl(): string | undefined;
  log: Log;
  pollMs?: number;
  /** Often enough for what a process with the old address did while it was being replaced. */
  compareMs?: number;
}

/**
 * Connects the channels whose provider could not be reached, those whose connecting a crash cut short, and those whose
 * provider knows us by an address that is not ours any more.
 */
export function startConnecting(options: ConnectingOptions): { stop(): Promise<void> } {
  const { pool, log, pollMs = 2_000, compareMs = 300_000 } = options;
  const seenOurs = new Set<string>();
  let comparedAt = Number.NEGATIVE_INFINITY;
  return loop({
    everyMs: pollMs,
    async turn() {
      if (options.publicUrl() !== undefined && Date.now() - comparedAt >= compareMs) {
        await reconnectMoved(options, seenOurs);
        comparedAt = Date.now();
      }
      const due = await takeDue(pool);
      await Promise.all(due.map((row) => connect(row, options)));
      return due.length > 0;
    },
    onError: (error) => log.warn({ err: error }, 'could not look which channels to connect'),
  });
}

/**
 * A channel that was ours already and is not any more was told to its provider by a process that began later, or runs beside us with
 * another PUBLIC_URL: it keeps it, for two that both insist would take it from one another for ever.
 */
async function reconnectMoved({ pool, channels, log }: ConnectingOptions, seenOurs: Set<string>) {
  const rows = await pool<Pick<ChannelRow, 'id' | 'type' | 'connected_url'>[]>`
    select id, type, connected_url from channels
    where is_active and deleted_at is null and connect_at is null`;
  const [ours, others] = [rows.filter(isOurs), rows.filter((row) => !isOurs(row))];
  for (const { id } of ours) seenOurs.add(id);
  for (const row of others.filter(({ id }) => seenOurs.has(id))) {
    const urls = { ours: channels.doorUrl(row), theirs: row.connected_url };
    log.warn(
      { channel: row.id, ...urls },
      'another process runs with another PUBLIC_URL: give all of them the same',
    );
  }
  const moved = others.flatMap(({ id }) => (seenOurs.has(id) ? [] : id));
  if (moved.length === 0) return;
  log.info({ channels: moved.length }, 'connecting channels whose provider knows us by another address');
  await pool`update channels set connect_at = now() where id = any(${moved}) and connect_at is null`;

  function isOurs(row: (typeof rows)[number]): boolean {
    return row.connected_url === (channels.doorUrl(row) ?? null);
  }
}

interface Due {
  id: string;
  business_id: string;
}

// Longer than connecting may take, so that nobody else tries meanwhile and a crash in between only delays it.
const TAKEN_FOR_SECONDS = 60;
const AT_ONCE = 20;

function takeDue(pool: Pool) {
  return pool<Due[]>`
    update channels set connect_at = now() + make_interval(secs => ${TAKEN_FOR_SECONDS})
    where id in (
      select id from channels where connect_at <= now() and is_active and deleted_at is null
      order by connect_at limit ${AT_ONCE} for update skip locked)
    returning id, business_id`;
}

async function connect({ id, business_id }: Due, { pool, channels, log }: ConnectingOptions): Promise<void> {
  try {
    const { row } = await channels.connect(await channels.find(pool, business_id, id), { isNew: false });
    if (row.connect_at === null && row.broken_at === null) log.info({ channel: id }, 'connected a channel');
  } catch (error) {
    log.warn({ err: error, channel: id }, 'connecting a channel failed');
  }
}
