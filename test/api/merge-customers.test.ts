import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { emailChannel } from '../support/email/channel.ts';
import { mail } from '../support/email/mails.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventually, otherBusiness } from '../support/inbox.ts';
import { receive, write } from '../support/people.ts';
import { untilRead } from '../support/readers.ts';
import { fakeMessage, fakeUser, privateChat, update } from '../support/telegram.ts';

interface Customer {
  id: string;
  name: string | null;
  email: string | null;
  emails: string[];
  phone: string | null;
  external_id: string | null;
  custom_attributes: Record<string, unknown>;
  identities: { address: string }[];
  merged_into_id: string | null;
  merged_from: string[];
  blocked_at: string | null;
}
interface Refusal {
  error: { code: string; merged_into_id?: string; details: { field: string }[] };
}

let gateway: TestGateway;
let door: Door;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await door.close();
});

const create = async (fields: Record<string, unknown>) =>
  (await gateway.call<Customer>('POST', '/api/v1/customers', fields)).body;
const get = async (id: string) => (await gateway.call<Customer>('GET', `/api/v1/customers/${id}`)).body;
const change = <T = Customer>(id: string, fields: Record<string, unknown>) =>
  gateway.call<T>('PATCH', `/api/v1/customers/${id}`, fields);
const merge = <T = Customer>(id: string, from: string, key = gateway.apiKey) =>
  gateway.call<T>('POST', `/api/v1/customers/${id}/merge`, { from }, { key });
const undo = <T = Customer>(id: string) => gateway.call<T>('DELETE', `/api/v1/customers/${id}/merge`);
const find = async (query: string) =>
  (await gateway.call<{ data: Customer[] }>('GET', `/api/v1/customers?${query}`)).body.data.map(
    ({ id }) => id,
  );
const conversationsOf = async (customerId: string) =>
  (
    await gateway.call<{ data: { id: string }[] }>('GET', `/api/v1/conversations?customer_id=${customerId}`)
  ).body.data.map(({ id }) => id);
const sendersIn = async (conversationId: string) => {
  const { body } = await gateway.call<{ data: { sender: { id: string } }[] }>(
    'GET',
    `/api/v1/conversations/${conversationId}/messages`,
  );
  return [...new Set(body.data.map(({ sender }) => sender.id))];
};

/** Somebody who wrote to the bot. */
async function known(fields: Record<string, unknown> = {}) {
  const user = fakeUser();
  const written = await write(gateway, door, user, 'hello');
  if (Object.keys(fields).length > 0) await change(written.customer_id, fields);
  return { user, id: written.customer_id, conversation: written.conversation_id };
}

describe('merging a customer into another', () => {
  it('makes one person of them, with all addresses, conversations and messages', async () => {
    const [ada, twin] = [await known(), await known()];
    const merged = await merge(ada.id, twin.id);
    expect([merged.status, merged.body.merged_from]).toEqual([200, [twin.id]]);
    expect(merged.body.identities.map(({ address }) => address).sort()).toEqual(
      [String(ada.user.id), String(twin.user.id)].sort(),
    );
    expect((await conversationsOf(ada.id)).sort()).toEqual([ada.conversation, twin.conversation].sort());
    expect(await conversationsOf(twin.id)).toEqual(await conversationsOf(ada.id));
    expect(await sendersIn(twin.conversation)).toEqual([ada.id]);
    const { body: read } = await gateway.call<{ participants: { type: string; id: string }[] }>(
      'GET',
      `/api/v1/conversations/${twin.conversation}`,
    );
    expect(read.participants.map(({ id }) => id)).toEqual([ada.id]);
    expect(await get(twin.id)).toMatchObject({ merged_into_id: ada.id, identities: [] });
    expect((await write(gateway, door, twin.user)).customer_id).toBe(ada.id);
    const opened = await gateway.call<{ customer_id: string }>('POST', '/api/v1/conversations', {
      business_id: gateway.businessId,
      customer_id: twin.id,
    });
    expect([opened.status, opened.body.customer_id]).toEqual([201, ada.id]);
    const visitor = await gateway.call<{ data: { id: string } }>('GET', `/api/support/visitors/${twin.id}`);
    expect(visitor.body.data.id).toBe(ada.id);
  });

  it('takes over what is empty, finds them by everything, and tells of it once', async () => {
    const target = await create({ name: 'Kept', custom_attributes: { plan: 'pro' } });
    const source = await create({
      name: 'Gone',
      emails: ['gone@merge.example', 'second@merge.example'],
      phone: '+44 20 7946 0001',
      external_id: 'merge-1',
      custom_attributes: { plan: 'free', city: 'Riga' },
    });
    const { body } = await merge(target.id, source.id);
    expect(body).toMatchObject({
      name: 'Kept',
      email: 'gone@merge.example',
      emails: ['gone@merge.example', 'second@merge.example'],
      phone: '+442079460001',
      external_id: 'merge-1',
      custom_attributes: { plan: 'pro', city: 'Riga' },
    });
    expect((await merge(target.id, source.id)).body).toEqual(body);
    for (const query of ['email=second@merge.example', 'external_id=merge-1', 'q=gone']) {
      expect(await find(query), query).toEqual([target.id]);
    }
    await eventually(async () => (await mergesOf(target.id)).length > 0);
    expect(await mergesOf(target.id)).toEqual([[source.id]]);
  });

  async function mergesOf(customerId: string): Promise<string[][]> {
    const { body } = await gateway.call<{
      data: { type: string; data: { customer: { id: string }; merged_from: string[] } }[];
    }>('GET', '/api/v1/events?types=customer.merged&limit=100');
    return body.data
      .filter(({ data }) => data.customer.id === customerId)
      .map(({ data }) => data.merged_from);
  }

  it('is turned back by its undo, with what came to their address since', async () => {
    const ada = await known();
    const twin = await known({
      email: 'twin@undo.example',
      external_id: 'undo-1',
      custom_attributes: { a: 1 },
    });
    const [adaBefore, twinBefore] = [await get(ada.id), await get(twin.id)];
    await merge(ada.id, twin.id);
    await gateway.call('PUT', `/api/v1/conversations/${twin.conversation}/close`);
    const since = await write(gateway, door, twin.user, 'a new matter');
    expect(since.customer_id).toBe(ada.id);

    const undone = await undo(twin.id);
    expect([undone.status, undone.body.merged_into_id]).toEqual([200, null]);
    const comparable = ({ updated_at, ...customer }: Customer & { updated_at?: string }) => customer;
    expect(comparable(await get(twin.id))).toEqual(comparable(twinBefore));
    expect(comparable(await get(ada.id))).toEqual(comparable(adaBefore));
    expect((await conversationsOf(twin.id)).sort()).toEqual(
      [twin.conversation, since.conversation_id].sort(),
    );
    expect(await conversationsOf(ada.id)).toEqual([ada.conversation]);
    for (const id of [twin.conversation, since.conversation_id])
      expect(await sendersIn(id)).toEqual([twin.id]);
    expect((await write(gateway, door, twin.user)).customer_id).toBe(twin.id);
    expect((await undo(twin.id)).body).toMatchObject({ id: twin.id, merged_into_id: null });
  });

  it('keeps on undo what somebody wrote since', async () => {
    const target = await create({});
    const source = await create({ name: 'Filled in', email: 'filled@in.example' });
    await merge(target.id, source.id);
    await change(target.id, { name: 'Written since' });
    await undo(source.id);
    expect(await get(target.id)).toMatchObject({ name: 'Written since', email: null });
  });

  it('goes over several steps, undone in any order', async () => {
    const [first, second, last] = [await known({ external_id: 'chain-1' }), await known(), await known()];
    await merge(second.id, first.id);
    await merge(last.id, second.id);
    expect(await get(last.id)).toMatchObject({ external_id: 'chain-1' });
    expect((await get(last.id)).merged_from.sort()).toEqual([first.id, second.id].sort());
    await undo(first.id);
    expect(await get(first.id)).toMatchObject({ external_id: 'chain-1', merged_into_id: null });
    expect(await conversationsOf(first.id)).toEqual([first.conversation]);
    expect((await conversationsOf(last.id)).sort()).toEqual([second.conversation, last.conversation].sort());
    await undo(second.id);
    expect(await get(second.id)).toMatchObject({ external_id: null, merged_into_id: null });
    expect(await conversationsOf(second.id)).toEqual([second.conversation]);

    await merge(second.id, first.id);
    await merge(last.id, second.id);
    await undo(second.id);
    expect((await get(second.id)).merged_from).toEqual([first.id]);
    expect((await conversationsOf(second.id)).sort()).toEqual(
      [first.conversation, second.conversation].sort(),
    );
  });

  it('leaves who has been merged elsewhere since where they are', async () => {
    const [first, second, third, last] = [await known(), await known(), await known(), await known()];
    await merge(second.id, first.id);
    await merge(third.id, second.id);
    await undo(first.id);
    await merge(last.id, first.id);
    await merge(last.id, third.id);
    await undo(second.id);
    expect(await get(first.id)).toMatchObject({ merged_into_id: last.id });
    expect(await conversationsOf(second.id)).toEqual([second.conversation]);
    expect((await write(gateway, door, first.user)).customer_id).toBe(last.id);
    await undo(first.id);
    expect(await conversationsOf(first.id)).toEqual([first.conversation]);
    expect(await sendersIn(first.conversation)).toEqual([first.id]);
  });

  it('leaves whom it took along who was set free since, and is the other one now', async () => {
    const [first, second, third] = [await known(), await known(), await known()];
    await merge(second.id, first.id);
    await merge(third.id, second.id);
    await undo(first.id);
    await merge(first.id, third.id);
    await undo(second.id);
    await undo(third.id);
    for (const { id, conversation, user } of [first, second, third]) {
      expect(await conversationsOf(id)).toEqual([conversation]);
      expect((await write(gateway, door, user)).customer_id).toBe(id);
    }
  });

  it('leaves on undo what somebody wrote in their conversation who became part of the other one later', async () => {
    const [ada, twin, third] = [await known(), await known(), await known()];
    await merge(ada.id, twin.id);
    await gateway.call('POST', `/api/v1/conversations/${third.conversation}/merge`, {
      into: twin.conversation,
    });
    expect(await write(gateway, door, third.user)).toMatchObject({ conversation_id: twin.conversation });
    await merge(ada.id, third.id);
    await undo(twin.id);
    expect(await sendersIn(twin.conversation)).toEqual([twin.id, ada.id]);
    await undo(third.id);
    expect(await sendersIn(twin.conversation)).toEqual([twin.id, third.id]);
    // The same of whom the other one becomes part of.
    await merge(ada.id, twin.id);
    await write(gateway, door, third.user);
    await merge(third.id, ada.id);
    await undo(twin.id);
    expect(await sendersIn(twin.conversation)).toEqual([twin.id, third.id]);
  });

  it('undoes what a version noted that wrote the messages anew', async () => {
    const [first, second, last] = [await known(), await known(), await known()];
    await gateway.call('POST', `/api/v1/conversations/${first.conversation}/merge`, {
      into: second.conversation,
    });
    const taken = (await write(gateway, door, first.user)).message_id;
    await merge(second.id, first.id);
    await gateway.pool`update messages set customer_id = ${second.id} where customer_id = ${first.id}`;
    await gateway.pool`
      update audit_log set detail = detail - 'seqs' || ${gateway.pool.json({ kept: [], taken: [taken] })}::jsonb
      where subject_id = ${first.id}`;
    await merge(last.id, second.id);
    await undo(first.id);
    expect(await sendersIn(first.conversation)).toEqual([first.id]);
    expect(await sendersIn(second.conversation)).toEqual([last.id, first.id]);
  });

  it('gives back the mails that they began to write about something else', async () => {
    const shop = await emailChannel(gateway, { address: 'support@merge.example' });
    for (const from of ['one@mail.example', 'two@mail.example'])
      await shop.post(mail({ from, subject: 'First' }));
    const [one, two] = await Promise.all(
      ['one', 'two'].map(async (name) => (await find(`email=${name}@mail.example`))[0] ?? ''),
    );
    if (one === undefined || two === undefined) throw new Error('nobody wrote');
    await merge(one, two);
    for (const from of ['one@mail.example', 'two@mail.example'])
      await shop.post(mail({ from, subject: 'Next' }));
    expect(await conversationsOf(one)).toHaveLength(4);
    await undo(two);
    for (const id of [one, two]) {
      const theirs = await conversationsOf(id);
      expect(theirs).toHaveLength(2);
      for (const conversation of theirs) expect(await sendersIn(conversation)).toEqual([id]);
    }
  });

  it('leaves what was theirs to be found when the one they were with is erased after the undo', async () => {
    const [ada, twin] = [await known(), await known()];
    await merge(ada.id, twin.id);
    const { message_id } = await write(gateway, door, twin.user, 'heliotrope');
    await untilRead(gateway.pool, 'search-3');
    await undo(twin.id);
    expect((await gateway.call('DELETE', `/api/v1/customers/${ada.id}`)).status).toBe(204);
    await untilRead(gateway.pool, 'search-3');
    const { body } = await gateway.call<{ data: { id: string }[] }>('GET', '/api/v1/search?q=heliotrope');
    expect(body.data.map(({ id }) => id)).toEqual([message_id]);
  });

  it('is found as part of whoever they are part of now', async () => {
    const [first, second, last] = [await known({ name: 'Aquamarine' }), await known(), await known()];
    await merge(second.id, first.id);
    await merge(last.id, second.id);
    const found = async () => {
      await untilRead(gateway.pool, 'search-3');
      const path = '/api/v1/search?kind=customer&q=aquamarine';
      const { body } = await gateway.call<{ data: { id: string; customer: { id: string } }[] }>('GET', path);
      return body.data.find(({ id }) => id === first.id)?.customer.id;
    };
    expect(await found()).toBe(last.id);
    await undo(second.id);
    expect(await found()).toBe(second.id);
  });

  it('leaves them the buttons of cards that they were sent before it, and during it', async () => {
    const [ada, twin] = [await known(), await known()];
    const sendCard = async () => {
      const path = `/api/v1/conversations/${twin.conversation}`;
      const card = { title: 'Which size?', actions: [{ label: 'Small', action: 'size:s' }] };
      const { body } = await gateway.call<{ id: string }>('POST', `${path}/messages`, { type: 'card', card });
      await gateway.call('PUT', `${path}/close`);
      return body.id;
    };
    const choiceOf = async (cardId: string) => {
      const message = fakeMessage({ from: door.telegram.bot, chat: privateChat(twin.user) });
      const pressed = update.callback({ from: twin.user, message, data: `choice:${cardId}:1` });
      const { message_id, conversation_id } = await receive(gateway, door, pressed);
      const { body } = await gateway.call<{ choice: object }>('GET', `/api/v1/messages/${message_id}`);
      await gateway.call('PUT', `/api/v1/conversations/${conversation_id}/close`);
      return body.choice;
    };
    const before = await sendCard();
    await merge(ada.id, twin.id);
    expect(await choiceOf(before)).toMatchObject({ action: 'size:s' });
    await gateway.call('PUT', `/api/v1/conversations/${twin.conversation}/reopen`);
    const during = await sendCard();
    await undo(twin.id);
    expect(await choiceOf(during)).toMatchObject({ action: 'size:s' });
  });

  it('is refused where it would make no sense, and says why', async () => {
    const [a, b, c] = [await create({}), await create({}), await create({})];
    const itself = await merge<Refusal>(a.id, a.id);
    expect([itself.status, itself.body.error.details[0]?.field]).toEqual([422, 'from']);
    await merge(a.id, b.id);
    for (const [into, from] of [
      [b.id, a.id],
      [c.id, b.id],
      [b.id, c.id],
    ] as const) {
      const refused = await merge<Refusal>(into, from);
      expect([refused.status, refused.body.error.merged_into_id]).toEqual([409, a.id]);
    }
    const changed = await change<Refusal>(b.id, { name: 'late' });
    expect([changed.status, changed.body.error.merged_into_id]).toEqual([409, a.id]);
    expect((await merge('no-such-id', a.id)).status).toBe(404);
  });

  it('never reaches another business', async () => {
    const [a, b] = [await create({}), await create({})];
    const key = await otherBusiness(gateway);
    expect((await merge(a.id, b.id, key)).status).toBe(404);
    const own = await gateway.call<Customer>('POST', '/api/v1/customers', {}, { key });
    const foreign = await merge<Refusal>(own.body.id, a.id, key);
    expect([foreign.status, foreign.body.error.details[0]?.field]).toEqual([422, 'from']);
    const reversed = await merge<Refusal>(a.id, own.body.id);
    expect([reversed.status, reversed.body.error.details[0]?.field]).toEqual([422, 'from']);
  });

  it('blocks the one who remains where the other was blocked, until the undo', async () => {
    const [ada, spammer] = [await known(), await known()];
    await gateway.call('POST', '/api/v1/blocked-senders', { customer_id: spammer.id });
    await merge(ada.id, spammer.id);
    expect((await get(ada.id)).blocked_at).toEqual(expect.any(String));
    await undo(spammer.id);
    expect((await get(ada.id)).blocked_at).toBeNull();
    expect((await get(spammer.id)).blocked_at).toEqual(expect.any(String));
  });

  it('is noted in the log, in ids only', async () => {
    const [a, b] = [await create({}), await create({ email: 'secret@log.example' })];
    await merge(a.id, b.id);
    await undo(b.id);
    const rows = await gateway.pool<{ action: string; agent_id: string; detail: object }[]>`
      select action, agent_id, detail from audit_log where subject_id = ${b.id} order by id`;
    expect(rows.map(({ action }) => action)).toEqual(['customer.merged', 'customer.unmerged']);
    expect(rows[0]?.agent_id).toBe(gateway.agentId);
    expect(JSON.stringify(rows)).not.toContain('secret@log.example');
  });

  it('loses nobody who writes all the while', async () => {
    const ada = await known();
    const twin = await known();
    const writing = (async () => {
      for (let n = 0; n < 40; n += 1)
        await write(gateway, door, n % 2 === 0 ? ada.user : twin.user, `n ${n}`);
    })();
    for (let n = 0; n < 6; n += 1) {
      expect((await merge(ada.id, twin.id)).status).toBe(200);
      expect((await undo(twin.id)).status).toBe(200);
    }
    await writing;
    expect(await conversationsOf(ada.id)).toEqual([ada.conversation]);
    expect(await conversationsOf(twin.id)).toEqual([twin.conversation]);
    expect(await sendersIn(ada.conversation)).toEqual([ada.id]);
    expect(await sendersIn(twin.conversation)).toEqual([twin.id]);
  });
});
