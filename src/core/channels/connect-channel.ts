import type { Setup } from '../adapter.ts';
import type { Pool } from '../database/connect.ts';
import { AppError, SendRejected } from '../errors.ts';
import type { LoadedChannel } from './loaded-channel.ts';

interface Connecting {
  doorUrl: string | undefined;
  isNew: boolean;
}

const DEADLINE_MS = 20_000;

/**
 * Registers our door with the provider and keeps what it said. A provider that cannot be reached is asked again later
 * (core/channels/connecting.ts); a new channel whose credentials are refused is thrown out. Resolves with why the provider
 * refuses the account, undefined when it does not.
 */
export async function connectChannel(
  pool: Pool,
  { row, adapter, channel }: LoadedChannel,
  { doorUrl, isNew }: Connecting,
): Promise<string | undefined> {
  try {
    const setup = (await inTime(adapter.connect?.(channel, doorUrl))) ?? { done: [], todo: [] };
    await keepSetup(pool, row, { setup, doorUrl });
    return undefined;
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'The provider could not be asked.';
    if (!isRefusal(error)) {
      await keepTrying(pool, row, problem);
      return undefined;
    }
    if (isNew) await discard(pool, row.id, { error, field: `config.${adapter.secretKeys[0] ?? 'type'}` });
    return (await keepRefusal(pool, row, { problem, doorUrl })) ? problem : undefined;
  }
}

async function inTime<T>(work: Promise<T> | undefined): Promise<T | undefined> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error('The provider did not answer in time.')), DEADLINE_MS);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function isRefusal(error: unknown): boolean {
  return (error instanceof SendRejected && error.channelBroken) || error instanceof AppError;
}

type Row = LoadedChannel['row'];

/** What was learned counts only while the channel is as it was when we asked. */
function unchanged(pool: Pool, { id, updated_at }: Row) {
  return pool`id = ${id} and date_trunc('milliseconds', updated_at) = ${updated_at} and deleted_at is null`;
}

interface Connected {
  setup: Setup;
  doorUrl: string | undefined;
}

async function keepSetup(pool: Pool, row: Row, { setup, doorUrl }: Connected): Promise<void> {
  await pool`
    update channels
    set setup = ${pool.json({ ...setup })}, connected_url = ${doorUrl ?? null}, connect_at = null, connect_tries = 0,
      broken_at = null, broken_reason = null
    where ${unchanged(pool, row)}`;
}

const RETRY_AFTER_SECONDS = [5, 15, 60, 300, 900];

/** The waits between the tries grow up to the last one, which then repeats. */
async function keepTrying(pool: Pool, row: Row, problem: string): Promise<void> {
  const todo = [`Connecting failed: ${problem} It is tried again by itself.`];
  await pool`
    update channels
    set setup = ${pool.json({ done: [], todo })}, connect_tries = connect_tries + 1,
      connect_at = now() + make_interval(secs =>
        (${RETRY_AFTER_SECONDS}::int[])[least(connect_tries + 1, ${RETRY_AFTER_SECONDS.length})])
    where ${unchanged(pool, row)}`;
}

interface Refused {
  problem: string;
  doorUrl: string | undefined;
}

/** It was told of the door, too: nobody asks again for its sake. */
async function keepRefusal(pool: Pool, row: Row, { problem, doorUrl }: Refused): Promise<boolean> {
  const todo = [`Connecting failed: ${problem} Save the channel again once that is solved.`];
  const kept = await pool`
    update channels
    set setup = ${pool.json({ done: [], todo })}, connected_url = ${doorUrl ?? null}, connect_at = null, connect_tries = 0
    where ${unchanged(pool, row)} returning id`;
  return kept.length === 1;
}

/** Nobody has used it yet, but a listener may already have seen it: it goes as every channel goes. */
async function discard(
  pool: Pool,
  id: string,
  { error, field }: { error: unknown; field: string },
): Promise<void> {
  await pool`
    update channels set deleted_at = now(), is_active = false, is_default = false, connect_at = null where id = ${id}`;
  if (error instanceof AppError) throw error;
  const details = [{ field, message: error instanceof Error ? error.message : 'is refused' }];
  throw new AppError('validation_error', 'The provider refuses these credentials.', {
    details,
    cause: error,
  });
}
