import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { otherBusiness } from '../support/inbox.ts';

interface Customer {
  id: string;
  name: string | null;
  email: string | null;
  phone: string | null;
  emails: string[];
  phones: string[];
  external_id: string | null;
  custom_attributes: Record<string, unknown>;
  identities: { channel_id: string; kind: string; address: string }[];
}
interface Page {
  data: Customer[];
  meta: { next_cursor: string | null };
}

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());

const create = (fields: Record<string, unknown>) =>
  gateway.call<Customer>('POST', '/api/v1/customers', fields);
const find = async (query: string) =>
  (await gateway.call<Page>('GET', `/api/v1/customers?${query}`)).body.data;

describe('customers', () => {
  it('are created, read and changed', async () => {
    const { status, body } = await create({
      name: 'Ada',
      email: 'ada@example.com',
      phone: '+44 (20) 7946-0958',
      external_id: 'u-1',
      custom_attributes: { plan: 'pro', seats: 1 },
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ name: 'Ada', phone: '+442079460958', external_id: 'u-1', identities: [] });
    const changed = await gateway.call<Customer>('PATCH', `/api/v1/customers/${body.id}`, {
      email: null,
      custom_attributes: { seats: null, city: 'Riga' },
    });
    expect(changed.body).toMatchObject({
      name: 'Ada',
      email: null,
      custom_attributes: { plan: 'pro', city: 'Riga' },
    });
    expect(changed.body.custom_attributes).not.toHaveProperty('seats');
    expect((await gateway.call<Customer>('GET', `/api/v1/customers/${body.id}`)).body).toEqual(changed.body);
  });

  it('are found by what is known of them', async () => {
    const { body } = await create({
      name: 'Grace Hopper',
      email: 'Grace@Navy.example',
      phone: '+1 555 0100',
      external_id: 'u-2',
    });
    for (const query of [
      'q=hopper',
      'email=grace@navy.EXAMPLE',
      `phone=${encodeURIComponent('+1 (555) 0100')}`,
      'external_id=u-2',
      'q=u-2',
    ]) {
      expect(
        (await find(query)).map((one) => one.id),
        query,
      ).toEqual([body.id]);
    }
    expect(await find('q=%25')).toEqual([]);
  });

  it('are found by a letter or two where a word begins or ends', async () => {
    const { body } = await create({ name: 'Jo Quaxzy', email: 'vq@example.com', phone: '+1 555 0177' });
    const { body: ming } = await create({ name: '王小明' });
    for (const [q, found] of [
      ['Qu', body.id],
      ['ZY', body.id],
      ['vq', body.id],
      ['77', body.id],
      ['小明', ming.id],
      ['王', ming.id],
      ['xz', undefined],
      ['y', undefined],
      ['j%', undefined],
    ])
      expect((await find(`q=${encodeURIComponent(q ?? '')}`)).map(({ id }) => id)).toEqual(
        found ? [found] : [],
      );
  });

  it('are listed no more once they were merged into another', async () => {
    const [kept, merged] = [await create({ name: 'Twin A' }), await create({ name: 'Twin B' })];
    await gateway.pool`update customers set merged_into_id = ${kept.body.id} where id = ${merged.body.id}`;
    expect((await find('q=twin')).map((one) => one.id)).toEqual([kept.body.id]);
  });

  it('have an external_id of their own', async () => {
    await create({ external_id: 'taken' });
    const second = await create({ external_id: 'taken' });
    expect(second.status).toBe(409);
    const other = await create({ external_id: 'free' });
    const moved = await gateway.call('PATCH', `/api/v1/customers/${other.body.id}`, { external_id: 'taken' });
    expect(moved.status).toBe(409);
  });

  it('have several emails and phones, each of which finds them', async () => {
    const { body } = await create({
      name: 'Many',
      emails: ['one@many.example', 'Two@Many.example', 'ONE@many.example'],
      phones: ['+49 30 901820', '0049 (170) 1234567'],
    });
    expect(body).toMatchObject({
      email: 'one@many.example',
      phone: '+4930901820',
      emails: ['one@many.example', 'Two@Many.example'],
      phones: ['+4930901820', '+491701234567'],
    });
    for (const query of [
      'email=two@many.example',
      'phone=%2B491701234567',
      'phone=+49 170 1234567',
      'phone=0049-170-123 45 67',
      'q=two@many',
    ]) {
      expect(
        (await find(query)).map((one) => one.id),
        query,
      ).toEqual([body.id]);
    }
    const change = (fields: Record<string, unknown>) =>
      gateway.call<Customer>('PATCH', `/api/v1/customers/${body.id}`, fields);
    const kept = await change({ emails: ['three@many.example', 'one@many.example'] });
    expect(kept.body).toMatchObject({
      email: 'one@many.example',
      emails: ['one@many.example', 'three@many.example'],
    });
    const moved = await change({ emails: ['three@many.example'], phones: [] });
    expect(moved.body).toMatchObject({
      email: 'three@many.example',
      emails: ['three@many.example'],
      phone: null,
      phones: [],
    });
    expect(await find('email=two@many.example')).toEqual([]);
    await change({ emails: ['three@many.example', 'four@many.example'], phone: '+49 30 901821' });
    for (const q of ['%2B49 30 9018', '030 901821', '(0)30-9018', '0049 30 901821', '030–9018', '٠٣٠٩٠١٨'])
      expect([q, (await find(`q=${q}`)).length]).toEqual([q, 1]);
    expect(await find('q=00000')).toEqual([]);
    // The next one takes the place of the first.
    expect((await change({ email: null, phone: null })).body).toMatchObject({
      email: 'four@many.example',
      emails: ['four@many.example'],
      phone: null,
      phones: [],
    });
    expect((await change({ email: null, name: ' ' })).body).toMatchObject({
      name: null,
      email: null,
      emails: [],
    });
  });

  it('are found by a number that the network writes with a digit more or less', async () => {
    const { body } = await create({ phone: '+55 11 98765-4321' });
    expect((await find('phone=%2B551187654321')).map((one) => one.id)).toEqual([body.id]);
  });

  it('are found by their custom attributes, all of those that are named', async () => {
    const { body } = await create({ custom_attributes: { plan: 'gold', seats: 3, note: 'a:b' } });
    await create({ custom_attributes: { plan: 'gold', seats: 4 } });
    const found = async (query: string) => (await find(query)).map((one) => one.id);
    expect(await found('custom_attribute=plan:gold&custom_attribute=seats:3')).toEqual([body.id]);
    expect(await found('custom_attribute=note:a:b')).toEqual([body.id]);
    expect(await found('custom_attribute=plan:silver')).toEqual([]);
    const refused = await gateway.call<{ error: { details: { field: string }[] } }>(
      'GET',
      '/api/v1/customers?custom_attribute=plan',
    );
    expect([refused.status, refused.body.error.details[0]?.field]).toEqual([422, 'custom_attribute']);
  });

  it('are found by an address on a channel', async () => {
    const { body } = await create({ name: 'Reachable' });
    await gateway.pool`
      insert into identities (id, business_id, channel_id, customer_id, kind, address)
      values (gen_random_uuid(), ${gateway.businessId}, ${gateway.channelId}, ${body.id}, 'user', '4711')`;
    expect((await find('address=4711')).map((one) => one.id)).toEqual([body.id]);
    expect((await find(`channel_id=${gateway.channelId}`)).map((one) => one.id)).toEqual([body.id]);
    expect((await find('q=4711')).map((one) => one.id)).toEqual([body.id]);
  });

  it('page by cursor', async () => {
    const ids = new Set<string>();
    for (let n = 0; n < 5; n += 1) ids.add((await create({ name: 'Paged Person' })).body.id);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const path: string = `/api/v1/customers?q=paged&limit=2${cursor === null ? '' : `&cursor=${cursor}`}`;
      const { body } = await gateway.call<Page>('GET', path);
      seen.push(...body.data.map((one) => one.id));
      cursor = body.meta.next_cursor;
      await create({ name: 'Noise' });
    } while (cursor !== null);
    expect(new Set(seen)).toEqual(ids);
    expect(seen.length).toBe(5);
  });

  it('have one thread of all channels and conversations, newest first, whichever they wrote by', async () => {
    const { body: ada } = await create({ name: 'Ada everywhere', email: 'ada@everywhere.example' });
    const { body: twin } = await create({ name: 'Ada elsewhere' });
    const opened = async (customer_id: string, initial_message: string) =>
      (
        await gateway.call<{ id: string }>('POST', '/api/v1/conversations', {
          business_id: gateway.businessId,
          customer_id,
          initial_message,
        })
      ).body.id;
    const first = await opened(ada.id, 'one');
    const second = await opened(twin.id, 'two');
    const write = (id: string, body: object) =>
      gateway.call('POST', `/api/v1/conversations/${id}/messages`, body);
    await write(first, { content: 'three' });
    await write(second, { content: 'four', type: 'note' });
    await write(first, { content: 'not yet', send_at: '2099-01-01T00:00:00Z' });
    await gateway.call('PUT', `/api/v1/conversations/${first}/close`);
    await opened((await create({ name: 'Somebody else' })).body.id, 'nothing of hers');
    await gateway.call('POST', `/api/v1/customers/${ada.id}/merge`, { from: twin.id });
    const read = async (id: string, query = '') =>
      (
        await gateway.call<{
          data: { content: string; conversation_id: string }[];
          meta: { next_cursor: string | null };
        }>('GET', `/api/v1/customers/${id}/messages${query}`)
      ).body;
    const said = ({ data }: { data: { content: string }[] }) => data.map(({ content }) => content);
    expect(said(await read(ada.id))).toEqual(['four', 'three', 'two', 'one']);
    expect(said(await read(twin.id))).toEqual(['four', 'three', 'two', 'one']);
    expect((await read(ada.id)).data.map((one) => one.conversation_id)).toEqual([
      second,
      first,
      second,
      first,
    ]);
    expect(said(await read(ada.id, '?include=activity'))).toContain('Closed by Owner');
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null; ) {
      const found = await read(
        ada.id,
        `?limit=3${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`,
      );
      seen.push(...said(found));
      cursor = found.meta.next_cursor;
    }
    expect(seen).toEqual(['four', 'three', 'two', 'one']);
    expect(said(await read(ada.id, '?limit=3&page=2'))).toEqual(['one']);
  });

  it('of another business are not there, and bad fields are named', async () => {
    const { body } = await create({ name: 'Mine' });
    const key = await otherBusiness(gateway);
    expect((await gateway.call('GET', `/api/v1/customers/${body.id}`, undefined, { key })).status).toBe(404);
    expect(
      (await gateway.call('PATCH', `/api/v1/customers/${body.id}`, { name: 'Yours' }, { key })).status,
    ).toBe(404);
    expect(
      (await gateway.call('GET', `/api/v1/customers/${body.id}/messages`, undefined, { key })).status,
    ).toBe(404);
    expect((await gateway.call('GET', '/api/v1/customers/42')).status).toBe(404);
    const refused = await gateway.call<{ error: { details: { field: string }[] } }>(
      'POST',
      '/api/v1/customers',
      { email: 'no' },
    );
    expect([refused.status, refused.body.error.details[0]?.field]).toEqual([422, 'email']);
  });
});
