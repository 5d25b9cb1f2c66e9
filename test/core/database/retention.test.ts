import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPartitions, dayOf, listPartitions } from '../../../src/core/database/partitions.ts';
import { expire, keepPartitions } from '../../../src/core/database/retention.ts';
import { newId } from '../../../src/core/id.ts';
import { createLog } from '../../../src/core/log.ts';
import { createTestDatabase, type TestDatabase } from '../../support/database.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const RETENTION = { events: 30, deliveries: 20, attempts: 10, inbound: 30, failedInbound: 90, keys: 90 };
const daysOf = async (table: string) =>
  (await listPartitions(database.pool))
    .filter((partition) => partition.table === table)
    .map(({ day }) => day);
const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000);

async function receive(status: string, receivedAt: Date): Promise<void> {
  await database.pool`insert into inbound_requests (id, received_at, business_id, channel_id, status)
    values (${newId()}, ${receivedAt}, ${newId()}, ${newId()}, ${status})`;
}

describe('partitions', () => {
  it('exist for yesterday and the two weeks to come, as soon as they are kept', async () => {
    const keeping = await keepPartitions(database.pool, RETENTION, createLog('silent'));
    await keeping.stop();
    const expected = Array.from({ length: 16 }, (_, index) => dayOf(new Date(), index - 1));
    for (const table of ['events', 'deliveries', 'attempts', 'inbound_requests']) {
      expect(await daysOf(table)).toEqual(expected);
    }
  });

  it('can be made by several processes at once', async () => {
    const now = daysAgo(-100);
    await Promise.all(
      Array.from({ length: 8 }, () => createPartitions(database.pool, { daysAhead: 1, now })),
    );
    expect(await daysOf('events')).toContain(dayOf(now, 1));
  });

  it('number the events that go into them', async () => {
    const insert =
      () => database.pool`insert into events (id, business_id, type, data, occurred_at, created_at)
      values (${newId()}, ${newId()}, 'message.created', '{}', now(), now()) returning seq`;
    const [[first], [second]] = [await insert(), await insert()];
    expect(second?.['seq']).toBe(first?.['seq'] + 1);
  });

  it('end after their own retention each', async () => {
    await createPartitions(database.pool, { daysAhead: 0, now: daysAgo(15) });
    await createPartitions(database.pool, { daysAhead: 0, now: daysAgo(40) });
    await expire(database.pool, RETENTION, new Date());
    const old = dayOf(new Date(), -15);
    expect(await daysOf('events')).toContain(old);
    expect(await daysOf('deliveries')).toContain(old);
    expect(await daysOf('attempts')).not.toContain(old);
    expect(await daysOf('events')).not.toContain(dayOf(new Date(), -40));
  });

  it('of inbound requests keep what failed for longer', async () => {
    for (const days of [40, 100]) {
      await createPartitions(database.pool, { daysAhead: 0, now: daysAgo(days) });
      await receive('failed', daysAgo(days));
      await receive('processed', daysAgo(days));
    }
    await receive('processed', daysAgo(0));
    await expire(database.pool, RETENTION, new Date());
    await expire(database.pool, RETENTION, new Date());
    const kept = await database.pool`select status from inbound_requests order by received_at`;
    expect(kept).toEqual([{ status: 'failed' }, { status: 'processed' }]);
  });

  it('do not wait long behind somebody who reads', async () => {
    await createPartitions(database.pool, { daysAhead: 0, now: daysAgo(60) });
    const reader = await database.pool.reserve();
    await reader`begin`;
    await reader`select count(*) from events`;
    const expiring = expire(database.pool, RETENTION, new Date());
    const startedAt = Date.now();
    await database.pool`insert into events (id, business_id, type, data, occurred_at, created_at)
      values (${newId()}, ${newId()}, 'message.created', '{}', now(), now())`;
    // The reader stays until after this.
    expect(Date.now() - startedAt).toBeLessThan(10_000);
    await reader`commit`;
    reader.release();
    await expiring;
    expect(await daysOf('events')).not.toContain(dayOf(new Date(), -60));
  });
});
