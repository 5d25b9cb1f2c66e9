import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventually, otherBusiness } from '../support/inbox.ts';

interface Events {
  data: {
    id: string;
    cursor: string;
    type: string;
    timestamp: string;
    data: { customer?: { name: string } };
  }[];
  meta: { next_cursor: string; has_more: boolean };
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const events = async (query = '', key = gateway.apiKey) =>
  await gateway.call<Events>('GET', `/api/v1/events${query}`, undefined, { key });
const createCustomer = (name: string) => gateway.call('POST', '/api/v1/customers', { name });
const names = ({ data }: Events) => data.map((event) => event.data.customer?.name);

describe('events', () => {
  it('come in one order, page by page, and a cursor misses nothing', async () => {
    const start = (await events('?after=now')).body.meta.next_cursor;
    for (let n = 0; n < 5; n += 1) await createCustomer(`person ${n}`);
    await eventually(async () => (await events(`?after=${start}`)).body.data.length === 5);
    const first = (await events(`?after=${start}&limit=3`)).body;
    expect([names(first), first.meta.has_more]).toEqual([['person 0', 'person 1', 'person 2'], true]);
    const rest = (await events(`?after=${first.meta.next_cursor}`)).body;
    expect([names(rest), rest.meta.has_more]).toEqual([['person 3', 'person 4'], false]);
    expect(names((await events(`?after=${first.data[0]?.cursor}&limit=2`)).body)).toEqual([
      'person 1',
      'person 2',
    ]);
    expect((await events(`?after=${rest.meta.next_cursor}`)).body.data).toEqual([]);
    expect(names((await events(`?cursor=${first.meta.next_cursor}`)).body)).toEqual(['person 3', 'person 4']);
  });

  it('are filtered by type', async () => {
    await createCustomer('typed');
    await eventually(async () => names((await events('?types=customer.created')).body).includes('typed'));
    expect((await events('?types=customer.updated,conversation.merged')).body.data).toEqual([]);
    expect((await events('?types=nonsense')).status).toBe(422);
    expect((await events('?after=&types=&limit=1')).body.data).toEqual((await events('?limit=1')).body.data);
  });

  it('of another business are not heard', async () => {
    const key = await otherBusiness(gateway);
    await createCustomer('ours');
    await eventually(async () => names((await events('?limit=100')).body).includes('ours'));
    const theirs = (await events('', key)).body;
    expect(theirs.data).toEqual([]);
  });

  it('refuse a cursor that is none, and one whose events are no longer kept', async () => {
    const bad = await gateway.call<{ error: { code: string } }>('GET', '/api/v1/events?after=nonsense');
    expect([bad.status, bad.body.error.code]).toEqual([400, 'invalid_request']);
    await createCustomer('old');
    await eventually(async () => names((await events('?limit=100')).body).includes('old'));
    const [old] = (await events('?limit=1')).body.data;
    await gateway.pool`
      update events set created_at = created_at + interval '1 day' where seq > (select min(seq) from events)`;
    await gateway.pool`delete from events where seq = (select min(seq) from events)`;
    await createCustomer('new');
    await eventually(async () => (await events('')).body.data.length > 0);
    const expired = await gateway.call<{ error: { code: string } }>(
      'GET',
      `/api/v1/events?after=${old?.cursor}`,
    );
    // The first event is gone, but it was the one already read: nothing was missed.
    expect(expired.status).toBe(200);
    await gateway.pool`delete from events where seq = (select min(seq) from events)`;
    const missed = await gateway.call<{ error: { code: string } }>(
      'GET',
      `/api/v1/events?after=${old?.cursor}`,
    );
    expect([missed.status, missed.body.error.code]).toEqual([410, 'cursor_expired']);
  });
});
