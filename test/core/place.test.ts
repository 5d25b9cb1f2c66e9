import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startDispatcher } from '../../src/core/dispatch.ts';
import { createEventFeed } from '../../src/core/events/event-feed.ts';
import { followEvents } from '../../src/core/events/follow-events.ts';
import { createPlace } from '../../src/core/events/place.ts';
import { type EventRow, latestPosition, type NewEvent, readEvents, record } from '../../src/core/events.ts';
import { newId } from '../../src/core/id.ts';
import { createLog } from '../../src/core/log.ts';
import { createSlots } from '../../src/core/slots.ts';
import { createWake, type Wake } from '../../src/core/wake.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { until } from '../support/until.ts';

const log = createLog('silent');
const businessId = newId();
let database: TestDatabase;
let wake: Wake;
const opened: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  database = await createTestDatabase({ max: 20 });
  wake = await createWake(undefined, log);
  await database.pool`insert into businesses (id, name) values (${businessId}, 'Acme')`;
});
afterEach(async () => {
  for (const one of opened.splice(0)) await one.stop();
  await database.pool`delete from outbox`;
});
afterAll(async () => {
  await wake.close();
  await database.drop();
});

const named = (n: number, fields: Partial<NewEvent> = {}): NewEvent => ({
  type: 'customer.updated',
  businessId,
  data: { n },
  ...fields,
});
const numbers = (events: EventRow[]) => events.map((event) => event.data['n']);

interface Heard {
  woken: string[];
  fanned: EventRow[];
}

function placing(feed = createEventFeed()) {
  const heard: Heard = { woken: [], fanned: [] };
  const place = createPlace({
    wake,
    feed,
    wakeQueue: async (keys) => void heard.woken.push(...keys),
    fanOut: async (_tx, events) => {
      heard.fanned.push(...events);
      return () => events.map((event) => `deliver:${event.id}`);
    },
  });
  const commit = async (events: NewEvent[]) => {
    const announce = await database.pool.begin((tx) => place(tx, events));
    announce();
  };
  return { place, commit, heard };
}

function dispatch(): void {
  const lanes = { wake: async () => {} };
  opened.push(
    startDispatcher({
      pool: database.pool,
      wake,
      lanes,
      fanOut: async () => () => [],
      turns: createSlots(1),
      log,
    }),
  );
}

const waiting = async () =>
  (await database.pool<{ data: { n: number } }[]>`select data from outbox order by id`).map(
    (it) => it.data.n,
  );

describe('events that are placed with their transaction', () => {
  it('stand in the order at once, as they were said, and wake their lanes after the commit', async () => {
    const from = await latestPosition(database.pool);
    const { commit, heard } = placing();
    const lane = `fetch:${newId()}`;
    await commit([named(1), named(2, { wakes: [lane], causedBy: { rule: 'r' } })]);
    const events = await readEvents(database.pool, { after: from, limit: 10 });
    expect(numbers(events)).toEqual([1, 2]);
    expect(events[1]?.caused_by).toEqual({ rule: 'r' });
    expect(await waiting()).toEqual([]);
    expect(heard.woken).toEqual([lane]);
    expect(await database.pool`select 1 from lanes where key = ${lane}`).toHaveLength(1);
    expect(heard.fanned).toEqual([]);
  });

  it('are fanned out as they can be read, when somebody listens', async () => {
    await database.pool`
      insert into webhook_endpoints (id, business_id, url, events) values (${newId()}, ${businessId}, 'https://example.com', '{*}')`;
    const from = await latestPosition(database.pool);
    const { commit, heard } = placing();
    await commit([named(1), named(2)]);
    const read = await readEvents(database.pool, { after: from, limit: 10 });
    expect(heard.fanned).toEqual(read);
    expect(heard.woken).toEqual(read.map((event) => `deliver:${event.id}`));
    await database.pool`delete from webhook_endpoints`;
  });

  it('go behind what waits for the dispatcher', async () => {
    const from = await latestPosition(database.pool);
    await database.pool.begin((tx) => record(tx, [named(1)]));
    await placing().commit([named(2), named(3)]);
    expect(await waiting()).toEqual([1, 2, 3]);
    dispatch();
    await until(async () => (await waiting()).length === 0);
    expect(numbers(await readEvents(database.pool, { after: from, limit: 10 }))).toEqual([1, 2, 3]);
  });

  it('wait for the dispatcher while another transaction places its own', async () => {
    const { place, commit } = placing();
    await database.pool.begin(async (tx) => {
      await place(tx, [named(1)]);
      await commit([named(2)]);
      expect(await waiting()).toEqual([2]);
    });
  });

  it('delay what waits for the dispatcher by no more than their own transaction', async () => {
    const { place } = placing();
    dispatch();
    await database.pool.begin(async (tx) => {
      await place(tx, [named(1)]);
      await database.pool.begin((other) => record(other, [named(2)]));
      wake.notify('outbox');
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect(await waiting()).toEqual([2]);
    });
    // Far sooner than the next poll of the dispatcher.
    await until(async () => (await waiting()).length === 0, 900);
  });

  it('leave no trace of a transaction that fails', async () => {
    const from = await latestPosition(database.pool);
    const { place } = placing();
    const failing = database.pool.begin(async (tx) => {
      await place(tx, [named(1)]);
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(await readEvents(database.pool, { after: from, limit: 10 })).toEqual([]);
  });
});

describe('a reader in the process that places', () => {
  it('hears all in order, whether handed over, left to the dispatcher or placed elsewhere', async () => {
    const feed = createEventFeed();
    const here = placing(feed);
    const elsewhere = placing();
    const heard: EventRow[] = [];
    const from = await latestPosition(database.pool);
    opened.push(
      followEvents({ sql: database.pool, wake, from, log, feed }, ({ events }) => {
        heard.push(...events);
        return true;
      }),
    );
    dispatch();
    for (let n = 0; n < 60; n += 3) {
      await here.commit([named(n)]);
      await (n % 2 === 0 ? elsewhere : here).commit([named(n + 1)]);
      await database.pool.begin((tx) => record(tx, [named(n + 2)]));
      wake.notify('outbox');
      await until(async () => (await waiting()).length === 0);
    }
    await until(() => heard.length === 60);
    expect(numbers(heard)).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(heard).toEqual(await readEvents(database.pool, { after: from, limit: 100 }));
  });

  it('hears of nobody but the businesses that it asks for', async () => {
    const feed = createEventFeed();
    const { commit } = placing(feed);
    const other = newId();
    await database.pool`insert into businesses (id, name) values (${other}, 'Other')`;
    const heard: EventRow[] = [];
    const from = await latestPosition(database.pool);
    opened.push(
      followEvents(
        { sql: database.pool, wake, from, log, feed, businesses: () => new Set([businessId]) },
        ({ events }) => {
          heard.push(...events);
          return true;
        },
      ),
    );
    await commit([named(1), named(2, { businessId: other }), named(3)]);
    await until(() => heard.length === 2);
    expect(numbers(heard)).toEqual([1, 3]);
  });
});
