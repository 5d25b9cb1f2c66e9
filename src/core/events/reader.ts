import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from '../database/connect.ts';
import { unhurried } from '../database/unhurried.ts';
import { type Position, START } from '../events.ts';
import { holdLease } from '../leases.ts';
import type { Log } from '../log.ts';
import { loop } from '../loop.ts';
import type { Wake } from '../wake.ts';
import { createPace } from './pace.ts';

interface ReaderOptions {
  /** Its row in `readers`: where it stands. */
  name: string;
  pool: Pool;
  wake: Wake;
  log: Log;
  /** How long it rests after a turn while more happens, as a multiple of it: for what nobody waits for. */
  rest?: number;
}

interface Taken {
  upTo: Position;
  /** There is more at once. */
  hasMore: boolean;
  /** Nothing that could happen now would concern it: it looks again in a second, whatever happens. */
  isIdle?: boolean;
}

/** Takes what follows the position, and says how far it came. May be handed the same again. */
export type Read = (after: Position) => Promise<Taken>;

const LEASE_MS = 10_000;
const POLL_MS = 1_000;

/** Reads events from where it stood, in one process at a time, and keeps its place over restarts. */
export function startReader(
  { name, pool, wake, log, rest = 0 }: ReaderOptions,
  read: Read,
): { stop(): Promise<void> } {
  async function load(): Promise<Position> {
    const [row] = await pool<Position[]>`select seq, day::text as day from readers where name = ${name}`;
    return row ?? START;
  }

  /** Not waited for until it is on disk: whoever reads on from before it finds that the rest was done. */
  async function save({ seq, day }: Position): Promise<void> {
    await pool`
      insert into readers (name, seq, day)
      select ${name}, ${seq}, ${day} where ${unhurried(pool)}
      on conflict (name) do update set seq = excluded.seq, day = excluded.day, updated_at = now()
        where readers.seq <= excluded.seq`;
  }

  return holdLease(pool, { key: `reader:${name}`, ttlMs: LEASE_MS, log }, async (signal) => {
    let position: Position | undefined;
    let isIdle = false;
    const pace = createPace(rest);
    const reading = loop({
      everyMs: POLL_MS,
      async turn() {
        pace.beginTurn();
        position ??= await load();
        const taken = await read(position);
        if (taken.upTo.seq > position.seq || taken.upTo.day > position.day) {
          await save(taken.upTo);
          position = taken.upTo;
        }
        isIdle = taken.isIdle ?? false;
        await sleep(pace.restMs(taken.hasMore), undefined, { signal }).catch(() => {});
        return taken.hasMore && !signal.aborted;
      },
      onError(error) {
        // A database that crashed may have lost what was done last, together with the place.
        position = undefined;
        log.error({ err: error, reader: name }, 'reading events failed');
      },
    });
    const unsubscribe = wake.on('events', () => {
      pace.noteEvents();
      if (!isIdle) reading.wake();
    });
    if (!signal.aborted) await once(signal, 'abort');
    unsubscribe();
    await reading.stop();
  });
}
