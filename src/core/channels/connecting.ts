import type { Channels } from '../channels.ts';
import type { Pool } from '../database/connect.ts';
import type { Log } from '../log.ts';
import { loop } from '../loop.ts';

interface ConnectingOptions {
  pool: Pool;
  channels: Pick<Channels, 'find' | 'connect'>;
  log: Log;
}

const POLL_MS = 2_000;

/** Connects the channels whose provider could not be reached, and those whose connecting a crash cut short. */
export function startConnecting(options: ConnectingOptions): { stop(): Promise<void> } {
  const { pool, log } = options;
  return loop({
    everyMs: POLL_MS,
    async turn() {
      const due = await takeDue(pool);
      await Promise.all(due.map((row) => connect(row, options)));
      return due.length > 0;
    },
    onError: (error) => log.warn({ err: error }, 'could not look which channels to connect'),
  });
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
