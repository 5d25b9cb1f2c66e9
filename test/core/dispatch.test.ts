import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect, type Pool } from '../../src/core/database/connect.ts';
import { createTransact } from '../../src/core/database/transact.ts';
import { type FanOut, startDispatcher } from '../../src/core/dispatch.ts';
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

interface Options {
  pool?: Pool;
  fanOut?: FanOut;
  woken?: string[];
}

function start({ pool = database.pool, fanOut = async () => () => [], woken = [] }: Options = {}) {
  const queue = { wake: async (keys: readonly string[]) => void woken.push(...keys) };
  const dispatcher = startDispatcher({ pool, wake, lanes: queue, fanOut, turns: createSlots(1), log });
  opened.push(dispatcher);
  return dispatcher;
}

const event = (fields: Partial<NewEvent> = {}): NewEvent => ({
  type: 'customer.updated',
  businessId,
  data: {},
  ...fields,
});

const dispatched = (after = { seq: 0, day: '1970-01-01' }) =>
  readEvents(database.pool, { after, limit: 100_000 });

async function drained(): Promise<void> {
  await until(async () => (await database.pool`select 1 from outbox limit 1`).length === 0);
}

describe('the dispatcher', () => {
  it('gives events their place in the order in which they were recorded, and what they said', async () => {
    const from = await latestPosition(database.pool);
    const transact = createTransact(database.pool, wake);
    for (let n = 0; n < 30; n += 1)
      await transact((tx) => record(tx, [event({ data: { n: 2 * n } }), event({ data: { n: 2 * n + 1 } })]));
    const causedBy = { rule: newId() };
    const ids = { conversationId: newId(), customerId: newId(), messageId: newId() };
    await transact((tx) => record(tx, [event({ type: 'message.created', ...ids, causedBy })]));
    start();
    await drained();
    const events = await dispatched(from);
    expect(events.slice(0, 60).map(({ data }) => data['n'])).toEqual(Array.from({ length: 60 }, (_, n) => n));
    expect(events.at(-1)).toMatchObject({
      type: 'message.created',
      business_id: businessId,
      conversation_id: ids.conversationId,
      customer_id: ids.customerId,
      message_id: ids.messageId,
      caused_by: causedBy,
    });
  });

  it('finds by itself what nobody woke it for', async () => {
    start();
    const from = await latestPosition(database.pool);
    await database.pool.begin((tx) => record(tx, [event()]));
    await until(async () => (await dispatched(from)).length === 1, 2_500);
  });

  it('marks the lanes in the same transaction, names them after it, each once', async () => {
    const woken: string[] = [];
    const id = newId();
    await database.pool.begin((tx) =>
      record(tx, [event({ wakes: [`send:${id}`] }), event({ wakes: [`send:${id}`, `fetch:${id}`] })]),
    );
    start({ woken, fanOut: async () => () => [`deliver:${id}`] });
    await drained();
    await until(() => woken.length > 0);
    expect(woken.sort()).toEqual([`fetch:${id}`, `send:${id}`]);
    const lanes =
      await database.pool`select key from lanes where due_at <= now() and key like ${`%${id}`} order by key`;
    expect(lanes).toEqual([{ key: `fetch:${id}` }, { key: `send:${id}` }]);
  });

  it('hands over only events that some endpoint of their business hears', async () => {
    const heard: EventRow[] = [];
    const listening = newId();
    await database.pool`insert into businesses (id, name) values (${listening}, 'Listener')`;
    await database.pool`
      insert into webhook_endpoints (id, business_id, url, events) values (${newId()}, ${listening}, 'http://x.example', '{*}')`;
    await database.pool.begin((tx) =>
      record(tx, [event(), event({ businessId: listening, data: { n: 1 } })]),
    );
    start({
      fanOut: async (_tx, events) => {
        heard.push(...events);
        return () => [];
      },
    });
    await drained();
    expect(heard).toMatchObject([{ business_id: listening, data: { n: 1 }, seq: expect.any(Number) }]);
  });

  it('loses nothing when a batch fails', async () => {
    const from = await latestPosition(database.pool);
    const listening = newId();
    await database.pool`insert into businesses (id, name) values (${listening}, 'Listener')`;
    await database.pool`
      insert into webhook_endpoints (id, business_id, url, events) values (${newId()}, ${listening}, 'http://x.example', '{*}')`;
    await database.pool.begin((tx) => record(tx, [event({ businessId: listening }), event()]));
    let failures = 2;
    start({
      fanOut: async () => {
        if (failures-- > 0) throw new Error('not today');
        return () => [];
      },
    });
    await until(async () => (await dispatched(from)).length === 2);
    expect(failures).toBeLessThan(0);
  });

  it('moves more than a batch without waiting for the next poll', async () => {
    const from = await latestPosition(database.pool);
    await database.pool.begin((tx) =>
      record(
        tx,
        Array.from({ length: 2_300 }, (_, n) => event({ data: { n } })),
      ),
    );
    const startedAt = Date.now();
    start();
    await drained();
    expect(Date.now() - startedAt).toBeLessThan(3_000);
    expect((await dispatched(from)).map(({ data }) => data['n'])).toEqual(
      Array.from({ length: 2_300 }, (_, n) => n),
    );
  });
});

describe('two dispatchers', () => {
  it('make one order: a reader that keeps its place sees every event once, as each writer wrote them', async () => {
    const other = connect(database.url, { max: 4 });
    const from = await latestPosition(database.pool);
    start();
    start({ pool: other });
    const transact = createTransact(database.pool, wake);
    let done = false;
    const seen: EventRow[] = [];
    const reading = (async () => {
      let after = from;
      for (;;) {
        const wasDone = done;
        const events = await readEvents(other, { after, limit: 37 });
        seen.push(...events);
        const last = events.at(-1);
        if (last === undefined && wasDone) return;
        if (last !== undefined) after = { seq: last.seq, day: after.day };
      }
    })();
    await Promise.all(
      Array.from({ length: 50 }, async (_, writer) => {
        for (let n = 0; n < 10; n += 1) await transact((tx) => record(tx, [event({ data: { writer, n } })]));
      }),
    );
    await drained();
    done = true;
    await reading;
    expect(seen).toHaveLength(500);
    expect(new Set(seen.map(({ id }) => id)).size).toBe(500);
    for (let writer = 0; writer < 50; writer += 1) {
      const own = seen.filter(({ data }) => data['writer'] === writer).map(({ data }) => data['n']);
      expect(own).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    for (const one of opened.splice(0)) await one.stop();
    await other.end();
  });
});
