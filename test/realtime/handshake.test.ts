import { SignJWT } from 'jose';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { verifyIdentity } from '../../src/realtime/identity.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { closeAll, connect, quiet, refusal } from './sockets.ts';

const SECRET = 'a secret that the shop shares with us';

let gateway: TestGateway;
let shop: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  const { status, body } = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
    type: 'webchat',
    config: { allowed_origins: ['https://shop.example/'], identity_secret: SECRET },
  });
  expect(status).toBe(201);
  shop = body.id;
});
afterAll(() => gateway.stop());
afterEach(closeAll);

const auth = (more: Record<string, unknown> = {}) => ({
  business_id: gateway.businessId,
  channel_id: shop,
  ...more,
});
const open = (more: Record<string, unknown> = {}) => connect(gateway.url, auth(more));

describe('origins', () => {
  it.each(['websocket', 'polling'] as const)(
    'refuses a foreign one over %s, where the channel lists its own',
    async (transport) => {
      const evil = { transports: [transport], headers: { origin: 'https://evil.example' } };
      expect(await refusal(gateway.url, auth(), evil)).toMatchObject({ code: 'forbidden' });
      const own = { transports: [transport], headers: { origin: 'https://shop.example' } };
      await connect(gateway.url, auth(), own);
    },
  );

  it('takes any where the channel lists none', async () => {
    await connect(
      gateway.url,
      { business_id: gateway.businessId },
      { headers: { origin: 'https://evil.example' } },
    );
  });
});

describe('visitor tokens', () => {
  it('open no other channel', async () => {
    const vic = await connect(gateway.url, { business_id: gateway.businessId });
    const { visitor_token } = await vic.next('session');
    expect(await refusal(gateway.url, auth({ visitor_token }))).toMatchObject({ code: 'unauthorized' });
  });

  it('resume on their channel where none is named, whichever is the default by then', async () => {
    const { visitor_token, visitor_id, channel_id } = await (await open()).next('session');
    const again = await connect(gateway.url, { business_id: gateway.businessId, visitor_token });
    expect(await again.next('session')).toMatchObject({ visitor_id, channel_id });
  });

  it('end with their session’s time', async () => {
    const vic = await open();
    const { visitor_token, visitor_id } = await vic.next('session');
    await gateway.pool`update visitor_sessions set expires_at = now() where visitor_id = ${visitor_id as string}`;
    expect(await refusal(gateway.url, auth({ visitor_token }))).toMatchObject({
      message: expect.stringContaining('expired'),
    });
  });

  it('are renewed when they are used', async () => {
    const vic = await open();
    const { visitor_token, visitor_id } = await vic.next('session');
    vic.close();
    await gateway.pool`update visitor_sessions set expires_at = now() + interval '2 days' where visitor_id = ${visitor_id as string}`;
    const { expires_at } = await (await open({ visitor_token })).next('session');
    expect(Date.parse(expires_at as string)).toBeGreaterThan(Date.now() + 29 * 86_400_000);
  });

  it('stop at once when the channel is switched off', async () => {
    const { body } = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
      type: 'webchat',
      config: {},
    });
    const vic = await connect(gateway.url, { business_id: gateway.businessId, channel_id: body.id });
    await gateway.call('PATCH', `/api/v1/channels/${body.id}`, { is_active: false });
    await until(() => vic.socket.disconnected);
    expect(
      await refusal(gateway.url, { business_id: gateway.businessId, channel_id: body.id }),
    ).toMatchObject({ code: 'not_found' });
  });
});

describe('identity tokens', () => {
  const sign = (claims: Record<string, unknown>, secret = SECRET, expires: string | number = '5m') =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime(expires)
      .sign(new TextEncoder().encode(secret));

  // Another on every try: whom the first has met is known.
  let people = 0;
  const somebody = () => `somebody-${++people}`;

  it('join the customer of that external id, on every device', async () => {
    const sub = somebody();
    const identity_token = await sign({ sub, name: 'Uma', email: 'uma@x.example' });
    const laptop = await open({ identity_token });
    const { conversation_id } = await laptop.ask('client_message', { content: 'from the laptop' });
    const phone = await open({ identity_token });
    const session = await phone.next('session');
    expect(session['conversations']).toMatchObject([{ id: conversation_id }]);
    const answer = await phone.ask('client_message', { content: 'from the phone' });
    expect(answer).toMatchObject({ conversation_id, seq: 2 });
    await laptop.next('new_message', (it) => it['content'] === 'from the phone');
    const { body } = await gateway.call<{ customer: object }>(
      'GET',
      `/api/v1/conversations/${conversation_id}`,
    );
    expect(body.customer).toMatchObject({ external_id: sub, name: 'Uma', email: 'uma@x.example' });
  });

  it('join what the visitor wrote before signing in', async () => {
    const identity_token = await sign({ sub: somebody() });
    const before = await open({ identity_token });
    const known = await before.ask('client_message', { content: 'known' });
    const anonymous = await open();
    const { visitor_token } = await anonymous.next('session');
    const asked = await anonymous.ask('client_message', { content: 'who am I' });
    anonymous.close();
    const signedIn = await open({ visitor_token, identity_token });
    const { conversations } = await signedIn.next('session');
    const ids = (conversations as { id: string }[]).map((it) => it.id);
    expect(new Set(ids)).toEqual(new Set([known['conversation_id'], asked['conversation_id']]));
    const more = await signedIn.ask('client_message', {
      content: 'go on',
      conversation_id: known['conversation_id'],
    });
    expect(more).toMatchObject({ conversation_id: known['conversation_id'], seq: 2 });
  });

  it('join in a way that an agent can undo', async () => {
    const identity_token = await sign({ sub: 'user-8' });
    const known = await (await open({ identity_token })).ask('client_message', { content: 'known' });
    const anonymous = await open();
    const { visitor_token } = await anonymous.next('session');
    const asked = await anonymous.ask('client_message', { content: 'who am I' });
    const customerOf = async ({ conversation_id }: Record<string, unknown>) =>
      (await gateway.call<{ customer_id: string }>('GET', `/api/v1/conversations/${conversation_id}`)).body
        .customer_id;
    const before = await customerOf(asked);
    await open({ visitor_token, identity_token });
    expect(await customerOf(asked)).toBe(await customerOf(known));
    const undone = await gateway.call('DELETE', `/api/v1/customers/${before}/merge`);
    expect([undone.status, await customerOf(asked)]).toEqual([200, before]);
  });

  it('of customers that an agent merged both go on hearing what is meant for them', async () => {
    const subs = [somebody(), somebody()];
    const [one, two] = await Promise.all(subs.map((sub) => sign({ sub })));
    const first = await open({ identity_token: one });
    const second = await open({ identity_token: two });
    const { conversation_id: ofFirst } = await first.ask('client_message', { content: 'first' });
    const { conversation_id: ofSecond } = await second.ask('client_message', { content: 'second' });
    const ids = await gateway.pool<{ id: string }[]>`
      select id from customers where external_id = any(${subs}) order by array_position(${subs}, external_id)`;
    const merged = await gateway.call('POST', `/api/v1/customers/${ids[0]?.id}/merge`, { from: ids[1]?.id });
    expect(merged.status).toBe(200);
    const again = await open({ identity_token: two });
    const { conversations } = await again.next('session');
    expect((conversations as { id: string }[]).map(({ id }) => id).sort()).toEqual(
      [ofFirst, ofSecond].sort(),
    );
    await gateway.call('POST', `/api/v1/conversations/${ofFirst}/reply`, {
      message: 'Hello both',
      type: 'reply',
    });
    const before = await again.ask('sync', { conversation_id: ofSecond, after_seq: 0 });
    expect(before['messages']).toMatchObject([{ content: 'second', sender: { id: ids[0]?.id } }]);
    await again.next('new_message', (it) => it['content'] === 'Hello both');
    await first.next('new_message', (it) => it['content'] === 'Hello both');
  });

  it('name a visitor who was nobody yet', async () => {
    const anonymous = await open();
    const { visitor_token } = await anonymous.next('session');
    const { conversation_id } = await anonymous.ask('client_message', { content: 'hi' });
    await open({ visitor_token, identity_token: await sign({ sub: 'user-3' }) });
    const { body } = await gateway.call<{ customer: object }>(
      'GET',
      `/api/v1/conversations/${conversation_id}`,
    );
    expect(body.customer).toMatchObject({ external_id: 'user-3' });
  });

  it('make one customer of two browsers that sign in at once', async () => {
    const browsers = await Promise.all([open(), open()]);
    const tokens = await Promise.all(browsers.map(async (it) => (await it.next('session'))['visitor_token']));
    for (const browser of browsers) await browser.ask('client_message', { content: 'hi' });
    const sub = somebody();
    const identity_token = await sign({ sub });
    await Promise.all(tokens.map((visitor_token) => open({ visitor_token, identity_token })));
    const known = await gateway.pool`select id from customers where external_id = ${sub}`;
    expect(known).toHaveLength(1);
    const theirs =
      await gateway.pool`select id from conversations where customer_id = ${known[0]?.['id'] as string}`;
    expect(theirs).toHaveLength(2);
  });

  it('of somebody else begin anew in the same browser', async () => {
    const first = await open({ identity_token: await sign({ sub: 'user-4' }) });
    const { visitor_token, visitor_id } = await first.next('session');
    await first.ask('client_message', { content: 'mine' });
    const second = await open({ visitor_token, identity_token: await sign({ sub: 'user-5' }) });
    const session = await second.next('session');
    expect(session['visitor_id']).not.toBe(visitor_id);
    expect(session['conversations']).toEqual([]);
  });

  it('are refused when forged, expired or unsigned', async () => {
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa('{"sub":"user-1"}')}.`;
    for (const identity_token of [
      await sign({ sub: 'user-1' }, 'another secret altogether'),
      await sign({ sub: 'user-1' }, SECRET, Math.floor(Date.now() / 1000) - 3_600),
      unsigned,
      await sign({}),
    ]) {
      expect(await refusal(gateway.url, auth({ identity_token }))).toMatchObject({ code: 'unauthorized' });
    }
  });

  it('are good under the new secret and the old one while they are exchanged', async () => {
    const shop = 'the new secret of the shop';
    for (const [secret, key, isGood] of [
      [`${shop},${SECRET}`, SECRET, true],
      [`${shop}, ${SECRET}`, shop, true],
      [`${shop},${SECRET}`, 'another secret altogether', false],
      [`short,${SECRET}`, SECRET, false],
      [`short,${SECRET}`, `short,${SECRET}`, true],
      [SECRET, shop, false],
    ] as const) {
      const verdict = verifyIdentity(await sign({ sub: 'user-1' }, key), secret).then(
        () => true,
        () => false,
      );
      expect([secret, key, await verdict]).toEqual([secret, key, isGood]);
    }
  });

  it('alone open a person’s history: an email that anybody may type does not', async () => {
    const identity_token = await sign({ sub: 'user-6', email: 'known@x.example' });
    const known = await open({ identity_token });
    await known.ask('client_message', { content: 'confidential' });
    const eve = await open();
    await eve.ask('client_message', {
      content: 'hi',
      customer_data: { name: 'Eve', email: 'known@x.example' },
    });
    await quiet();
    expect(eve.of('new_message').map((it) => it['content'])).toEqual(['hi']);
  });
});
