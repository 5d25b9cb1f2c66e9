import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startReader } from '../../src/core/events/reader.ts';
import { isInWindow, nextWindow } from '../../src/core/events/window.ts';
import { START } from '../../src/core/events.ts';
import { newId } from '../../src/core/id.ts';
import { createLog } from '../../src/core/log.ts';
import { createWake } from '../../src/core/wake.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const log = createLog('silent');
let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});
beforeEach(async () => {
  await database.pool`delete from events`;
});
afterAll(() => database.drop());

/** Events with these numbers, which may have gaps between them, as a crash leaves them. */
async function happened(seqs: number[]): Promise<void> {
  await database.pool`
    insert into events (seq, id, business_id, type, data, occurred_at, created_at)
    overriding system value
    select seq, gen_random_uuid(), ${newId()}, 'customer.updated', '{}', now(), now()
    from unnest(${seqs}::bigint[]) as seq`;
}

async function taken(window: Parameters<typeof isInWindow>[1]): Promise<number[]> {
  const rows = await database.pool<{ seq: number }[]>`
    select seq from events e where ${isInWindow(database.pool, window)} order by seq`;
  return rows.map(({ seq }) => seq);
}

describe('a reader with a long backlog', () => {
  it('reads it whole and in order, across gaps of any width', async () => {
    const wide = 1_000_000;
    const seqs = [0, 1, 2, 3].flatMap((block) =>
      Array.from({ length: 700 }, (_, n) => 1 + block * wide + n * (block + 1)),
    );
    await happened(seqs);
    const turns: number[][] = [];
    const wake = await createWake(undefined, log);
    const reader = startReader({ name: newId(), pool: database.pool, wake, log }, async (after) => {
      const window = await nextWindow(database.pool, after);
      const turn = await taken(window);
      if (turn.length > 0) turns.push(turn);
      return window;
    });
    await until(async () => turns.flat().length >= seqs.length);
    await reader.stop();
    await wake.close();
    expect(turns.flat()).toEqual(seqs);
    expect(turns.length).toBeGreaterThan(1);
  });

  it('knows the newest event of all, for who takes none of them', async () => {
    await happened(Array.from({ length: 800 }, (_, n) => 1_000 + n));
    const window = await nextWindow(database.pool, START);
    expect(window).toMatchObject({ hasMore: true, newest: { seq: 1_799 } });
    const rest = await nextWindow(database.pool, window.upTo);
    expect(rest).toMatchObject({ hasMore: false, upTo: { seq: 1_799 }, newest: { seq: 1_799 } });
  });

  it('stays where it is while nothing happens', async () => {
    await happened([7]);
    const { upTo } = await nextWindow(database.pool, START);
    await expect(nextWindow(database.pool, upTo)).resolves.toMatchObject({
      upTo,
      newest: upTo,
      hasMore: false,
    });
  });
});
