import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createBlockList } from '../../src/core/customers/block-list.ts';
import type { InboundMessage, Sender } from '../../src/core/envelope.ts';
import { createLog } from '../../src/core/log.ts';
import { createWake } from '../../src/core/wake.ts';
import { closeAll, connect } from '../realtime/sockets.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { otherBusiness } from '../support/inbox.ts';
import { receive, write } from '../support/people.ts';
import { fakeGroup, fakeUser, update } from '../support/telegram.ts';

interface Blocked {
  id: string;
  kind: string;
  customer_id: string | null;
  address: string | null;
  domain: string | null;
  reason: string | null;
}
interface Refusal {
  error: { code: string; details: { field: string }[] };
}
interface Inbound {
  id: string;
  reason: string | null;
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
afterEach(closeAll);

const block = <T = Blocked>(body: unknown, key = gateway.apiKey) =>
  gateway.call<T>('POST', '/api/v1/blocked-senders', body, { key });
const unblock = (id: string) => gateway.call('DELETE', `/api/v1/blocked-senders/${id}`);
const list = async (query = '') =>
  (await gateway.call<{ data: Blocked[] }>('GET', `/api/v1/blocked-senders?${query}`)).body.data;
const ignored = async () =>
  (await gateway.call<{ data: Inbound[] }>('GET', '/api/v1/inbound-events?status=ignored')).body.data;
const messages = async (conversationId: string) =>
  (
    await gateway.call<{ messages: { content: string }[] }>('GET', `/api/v1/conversations/${conversationId}`)
  ).body.messages.map(({ content }) => content);

describe('a blocked person', () => {
  it('writes into the void, and what they wrote can be replayed once they are let in again', async () => {
    const ada = fakeUser({ first_name: 'Ada' });
    const { conversation_id, customer_id } = await write(gateway, door, ada, 'before');
    const blocked = await block({ customer_id, reason: 'spam' });
    expect(blocked.status).toBe(201);
    expect(blocked.body).toMatchObject({ kind: 'person', customer_id, address: null, reason: 'spam' });

    expect(await door.post(update.text({ from: ada, text: 'while blocked' }))).toBe(200);
    expect(await messages(conversation_id)).toEqual(['before']);
    const [kept] = await ignored();
    expect(kept?.reason).toBe('from a blocked sender');

    expect((await unblock(blocked.body.id)).status).toBe(204);
    expect((await unblock(blocked.body.id)).status).toBe(404);
    await write(gateway, door, ada, 'after');
    const replayed = await gateway.call('POST', `/api/v1/inbound-events/${kept?.id}/replay`);
    expect(replayed.status).toBe(200);
    expect(await messages(conversation_id)).toEqual(['before', 'after', 'while blocked']);
  });

  it('shows it, is listed, and is blocked once however often it is asked', async () => {
    const { customer_id } = await write(gateway, door, fakeUser());
    const first = await block({ customer_id });
    expect((await block({ customer_id })).body).toEqual(first.body);
    const path = `/api/v1/customers/${customer_id}`;
    const shown = async () =>
      (await gateway.call<{ blocked_at: string | null }>('GET', path)).body.blocked_at;
    expect(await shown()).toEqual(expect.any(String));
    expect((await list(`customer_id=${customer_id}`)).map(({ id }) => id)).toEqual([first.body.id]);
    const found = await gateway.call<{ data: { id: string }[] }>('GET', '/api/v1/customers?is_blocked=true');
    expect(found.body.data.map(({ id }) => id)).toContain(customer_id);
    await unblock(first.body.id);
    expect(await shown()).toBeNull();
    expect(await list(`customer_id=${customer_id}`)).toEqual([]);
  });

  it('is not heard in a group either, where the others go on', async () => {
    const chat = fakeGroup();
    const [loud, calm] = [fakeUser(), fakeUser()];
    const { customer_id } = await write(gateway, door, loud);
    await block({ customer_id });
    await door.post(update.text({ chat, from: calm, text: 'good evening' }));
    await door.post(update.text({ chat, from: loud, text: 'BUY NOW' }));
    const rows = await gateway.pool<{ content: string }[]>`
      select m.content from messages m join conversations c on c.id = m.conversation_id
      where c.thread_key = ${String(chat.id)} order by m.seq`;
    expect(rows.map(({ content }) => content)).toEqual(['good evening']);
  });

  it('is kept out at an address that became theirs a moment ago, and can be replayed', async () => {
    const [known, other] = [fakeUser(), fakeUser()];
    const { customer_id } = await write(gateway, door, known);
    const { body } = await block({ customer_id });
    await door.post(update.text({ from: known, text: 'not heard' }));
    await gateway.pool`
      insert into identities (id, business_id, channel_id, customer_id, kind, address)
      select gen_random_uuid(), business_id, channel_id, customer_id, kind, ${String(other.id)} from identities
      where customer_id = ${customer_id}`;
    await door.post(update.text({ from: other, text: 'nor there' }));
    await door.post(update.text({ from: other, text: 'not heard either' }));
    const said = async () =>
      (
        await gateway.pool<{ content: string }[]>`
          select content from messages where customer_id = ${customer_id} order by created_at, id`
      ).map(({ content }) => content);
    expect(await said()).toEqual(['hello']);
    const [, first] = await ignored();
    expect(first?.reason).toBe('from a blocked sender');
    await unblock(body.id);
    await gateway.call('POST', `/api/v1/inbound-events/${first?.id}/replay`);
    expect(await said()).toEqual(['hello', 'nor there']);
  });

  it('leaves the others of one request what they are', async () => {
    const config = {
      callback_url: `${gateway.url}/healthz`,
      secret: `whsec_${btoa('a secret of the program, long enough')}`,
    };
    const { body: channel } = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
      type: 'api',
      config,
    });
    const post = async (...items: [id: string, from: string][]) => {
      const sent = items.map(([id, from]) => ({
        external_id: id,
        sender: { external_id: from },
        content: id,
      }));
      const headers = { authorization: `Bearer ${config.secret}` };
      await gateway.call('POST', `/webhooks/api/${channel.id}`, sent, { key: null, headers });
      return (await gateway.call<{ data: Inbound[] }>('GET', '/api/v1/inbound-events')).body.data[0];
    };
    await post(['1', 'blocked'], ['2', 'calm']);
    const [identity] = await gateway.pool<{ customer_id: string }[]>`
      select customer_id from identities where channel_id = ${channel.id} and address = 'blocked'`;
    await block({ customer_id: identity?.customer_id });
    await post(['3', 'blocked']);
    await gateway.pool`
      insert into identities (id, business_id, channel_id, customer_id, kind, address)
      select gen_random_uuid(), business_id, channel_id, customer_id, kind, 'also blocked' from identities
      where channel_id = ${channel.id} and address = 'blocked'`;
    expect(await post(['4', 'also blocked'], ['2', 'calm'])).toMatchObject({
      status: 'ignored',
      reason: 'a duplicate',
    });
    expect(await post(['5', 'also blocked'], ['6', 'calm'])).toMatchObject({ status: 'processed' });
    const rows = await gateway.pool<{ content: string }[]>`
      select content from messages where channel_id = ${channel.id} order by content`;
    expect(rows.map(({ content }) => content)).toEqual(['1', '2', '6']);
  });

  it('is kept out of a group that moved with them', async () => {
    const chat = fakeGroup();
    const { customer_id } = await receive(gateway, door, update.text({ chat, from: fakeUser() }));
    const [group] = await gateway.pool<{ customer_id: string }[]>`
      select customer_id from identities where channel_id = ${door.channelId} and address = ${String(chat.id)}`;
    expect(customer_id).toBeDefined();
    await block({ customer_id: group?.customer_id });
    await door.post(update.text({ chat, from: fakeUser(), text: 'not heard' }));
    const moved = { ...chat, id: chat.id - 1_000_000_000_000, type: 'supergroup' as const };
    const notice = update.text({ chat: moved, from: fakeUser(), text: '' });
    Object.assign(notice['message'] as object, { text: undefined, migrate_from_chat_id: chat.id });
    await door.post(notice);
    await door.post(update.text({ chat: moved, from: fakeUser(), text: 'not heard either' }));
    const rows = await gateway.pool`
      select 1 from messages m join conversations c on c.id = m.conversation_id
      where c.customer_id = ${group?.customer_id ?? ''}`;
    expect(rows).toHaveLength(1);
  });

  it('is told so on a web chat', async () => {
    const visitor = await connect(gateway.url, { business_id: gateway.businessId });
    const first = await visitor.ask('client_message', { content: 'hi' });
    const [row] = await gateway.pool<{ customer_id: string }[]>`
      select customer_id from conversations where id = ${first['conversation_id'] as string}`;
    const { body } = await block({ customer_id: row?.customer_id });
    const refused = await visitor.ask('client_message', { content: 'hi again' });
    expect(refused['error']).toMatchObject({ code: 'forbidden' });
    await unblock(body.id);
    expect(await visitor.ask('client_message', { content: 'hi at last' })).toMatchObject({ seq: 2 });
  });

  it('is kept out of a web chat in a browser that became theirs a moment ago', async () => {
    const secret = 'a secret of the site';
    const { body: channel } = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
      type: 'webchat',
      config: { identity_secret: secret },
    });
    const of = { business_id: gateway.businessId, channel_id: channel.id };
    const identity_token = await new SignJWT({ sub: 'user-7' })
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .sign(new TextEncoder().encode(secret));
    const home = await connect(gateway.url, { ...of, identity_token });
    const { conversation_id } = await home.ask('client_message', { content: 'hi' });
    const [row] = await gateway.pool<{ customer_id: string }[]>`
      select customer_id from conversations where id = ${conversation_id as string}`;
    await block({ customer_id: row?.customer_id });
    const abroad = await connect(gateway.url, of);
    expect(await abroad.ask('client_message', { content: 'who am I?' })).toMatchObject({ seq: 1 });
    const { visitor_token } = await abroad.next('session');
    const again = await connect(gateway.url, { ...of, visitor_token, identity_token });
    const refused = await again.ask('client_message', { content: 'me again' });
    expect(refused['error']).toMatchObject({ code: 'forbidden' });
  });
});

describe('a blocked address or domain', () => {
  it('keeps out a mail address and everybody of a domain, wherever they say who they are', async () => {
    const address = await block({ address: 'Spam@Shop.example' });
    expect(address.body).toMatchObject({ kind: 'address', address: 'spam@shop.example' });
    const domain = await block({ domain: '@Junk.example' });
    expect(domain.body).toMatchObject({ kind: 'domain', domain: 'junk.example' });
    const refused = async (email: string) => {
      const visitor = await connect(gateway.url, { business_id: gateway.businessId });
      const answer = await visitor.ask('client_message', { content: 'hi', customer_data: { email } });
      visitor.close();
      return answer['error'] !== undefined;
    };
    expect(await refused('spam@shop.example')).toBe(true);
    expect(await refused('anybody@mail.junk.example')).toBe(true);
    expect(await refused('anybody@notjunk.example')).toBe(false);
    expect(await refused('other@shop.example')).toBe(false);
  });

  it('keeps out a number however a channel writes it', async () => {
    const wake = await createWake(undefined, createLog('silent'));
    await block({ address: '+49 (170) 123-45 67' });
    await block({ address: '4711' });
    const blockList = createBlockList(gateway.pool, wake);
    const isBlocked = async (sender: Sender) => {
      const inbound = { kind: 'message', sender } as InboundMessage;
      return (await blockList.of(gateway.businessId, [inbound]))(inbound);
    };
    expect(await isBlocked({ kind: 'phone', address: '+491701234567' })).toBe(true);
    expect(await isBlocked({ kind: 'phone', address: '491701234567' })).toBe(true);
    expect(await isBlocked({ kind: 'user', address: '1', phone: '+49 170 1234567' })).toBe(true);
    expect(await isBlocked({ kind: 'user', address: '491701234567' })).toBe(false);
    expect(await isBlocked({ kind: 'user', address: '4711' })).toBe(true);
    const aliases = [{ kind: 'phone', address: '+491701234567' }];
    expect(await isBlocked({ kind: 'user_id', address: 'DE.1', aliases })).toBe(true);
  });

  it('names what is wrong', async () => {
    const { customer_id } = await write(gateway, door, fakeUser());
    for (const [body, field] of [
      [{}, 'body'],
      [{ customer_id, domain: 'x.example' }, 'body'],
      [{ domain: 'no domain' }, 'domain'],
      [{ address: '' }, 'address'],
    ] as const) {
      const { status, body: refusal } = await block<Refusal>(body);
      expect([status, refusal.error.details[0]?.field]).toEqual([422, field]);
    }
    const foreign = await block<Refusal>({ customer_id }, await otherBusiness(gateway));
    expect([foreign.status, foreign.body.error.details[0]?.field]).toEqual([422, 'customer_id']);
  });
});
