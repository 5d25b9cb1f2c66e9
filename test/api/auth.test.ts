import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createApiKey } from '../../src/core/api-keys.ts';
import { ADMIN_API_KEY, startApi, type TestApi, type TestBusiness } from '../support/api.ts';

let api: TestApi;
let acme: TestBusiness;

beforeAll(async () => {
  api = await startApi();
  acme = await api.business();
});
afterAll(() => api.stop());

describe('credentials', () => {
  it('takes the key in either header', async () => {
    expect((await api.call('GET', '/api/v1/business', { key: acme.key })).body.id).toBe(acme.id);
    expect((await api.call('GET', '/api/v1/business', { headers: { 'x-api-key': acme.key } })).body.id).toBe(
      acme.id,
    );
  });

  it('says what is wrong with a key', async () => {
    const { row, key: revoked } = await createApiKey(api.pool, acme.id, { name: 'old', role: 'agent' });
    await api.pool`update api_keys set revoked_at = now() where id = ${row.id}`;
    const expiresAt = new Date(Date.now() - 1);
    const { key: expired } = await createApiKey(api.pool, acme.id, { name: 'old', role: 'agent', expiresAt });
    const codes = await Promise.all(
      [undefined, 'trb_nobody', revoked, expired].map(async (key) => {
        const answer = await api.call('GET', '/api/v1/business', key === undefined ? {} : { key });
        expect(answer.headers.get('www-authenticate')).toBe('Bearer');
        return [answer.status, answer.body.error.code];
      }),
    );
    expect(codes).toEqual([
      [401, 'unauthorized'],
      [401, 'invalid_api_key'],
      [401, 'revoked_api_key'],
      [401, 'expired_api_key'],
    ]);
  });

  it('checks credentials before it reads a body', async () => {
    const { status } = await api.call('POST', '/api/v1/api-keys', {
      raw: '{',
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(401);
  });

  it('stores no key that could be used, and notes its use once a minute', async () => {
    const key = await api.keyFor(acme.id, 'agent');
    await api.call('GET', '/api/v1/business', { key });
    const [first] = await api.pool`select * from api_keys where hint = ${key.slice(-4)}`;
    expect(JSON.stringify(first)).not.toContain(key);
    await api.call('GET', '/api/v1/business', { key });
    const [second] = await api.pool`select * from api_keys where hint = ${key.slice(-4)}`;
    expect(first?.['last_used_at']).toBeInstanceOf(Date);
    expect(second?.['last_used_at']).toEqual(first?.['last_used_at']);
  });
});

describe('roles', () => {
  it('lets agents and bots work conversations but not change channels', async () => {
    for (const role of ['agent', 'bot'] as const) {
      const key = await api.keyFor(acme.id, role);
      expect((await api.call('GET', '/api/v1/conversations/', { key })).status).toBe(200);
      const refused = await api.call('POST', '/api/v1/channels', { key, body: { type: 'webchat' } });
      expect([refused.status, refused.body.error.code]).toEqual([403, 'forbidden']);
      expect((await api.call('GET', '/api/v1/api-keys', { key })).status).toBe(403);
      expect((await api.call('GET', '/api/v1/inbound-events', { key })).status).toBe(403);
    }
  });

  it('lets nobody create a key above their own role', async () => {
    const key = await api.keyFor(acme.id, 'admin');
    const create = (role: string) => api.call('POST', '/api/v1/api-keys', { key, body: { name: 'x', role } });
    expect((await create('owner')).status).toBe(403);
    expect((await create('admin')).status).toBe(201);
    expect((await create('bot')).status).toBe(201);
  });

  it('keeps the last owner key', async () => {
    const solo = await api.business('Solo');
    const { body } = await api.call('GET', '/api/v1/api-keys', { key: solo.key });
    const refused = await api.call('DELETE', `/api/v1/api-keys/${body.data[0].id}`, { key: solo.key });
    expect([refused.status, refused.body.error.code]).toEqual([409, 'conflict']);
  });

  it('creates businesses for the operator alone', async () => {
    const create = (key: string) => api.call('POST', '/api/v1/businesses', { key, body: { name: 'New' } });
    expect((await create(acme.key)).body.error.code).toBe('forbidden');
    expect((await create('nobody-knows-it')).body.error.code).toBe('invalid_api_key');
    const { status, body } = await create(ADMIN_API_KEY);
    expect(status).toBe(201);
    expect((await api.call('GET', '/api/v1/business', { key: body.api_key })).body.name).toBe('New');
  });
});

describe('the team', () => {
  it('invites an agent with a key, and ends both together', async () => {
    const invited = await api.call('POST', '/api/v1/team/invite', {
      key: acme.key,
      body: { email: 'ada@example.com', name: 'Ada', role: 'agent' },
    });
    expect(invited.body).toMatchObject({ name: 'Ada', role: 'agent', status: 'offline' });
    const key = invited.body.api_key;
    const twice = await api.call('POST', '/api/v1/team/invite', {
      key: acme.key,
      body: { email: 'ADA@example.com', role: 'agent' },
    });
    expect(twice.status).toBe(409);
    expect(
      (await api.call('PATCH', '/api/v1/team/status', { key, body: { status: 'live' } })).body.status,
    ).toBe('live');
    const changed = await api.pool`select data from outbox where type = 'agent.status_changed'`;
    expect(changed.map((row) => row['data'])).toEqual([{ agent_id: invited.body.id, status: 'live' }]);

    expect((await api.call('DELETE', `/api/v1/team/members/${invited.body.id}`, { key })).status).toBe(403);
    expect(
      (await api.call('DELETE', `/api/v1/team/members/${invited.body.id}`, { key: acme.key })).status,
    ).toBe(204);
    expect((await api.call('GET', '/api/v1/business', { key })).body.error.code).toBe('revoked_api_key');
  });

  it('keeps the last owner, also when two owners remove each other at once', async () => {
    const solo = await api.business('Duel');
    expect((await api.call('DELETE', `/api/v1/team/members/${solo.ownerId}`, { key: solo.key })).status).toBe(
      409,
    );
    const other = await api.call('POST', '/api/v1/team/invite', {
      key: solo.key,
      body: { email: 'second@example.com', role: 'owner' },
    });
    await Promise.all([
      api.call('DELETE', `/api/v1/team/members/${other.body.id}`, { key: solo.key }),
      api.call('DELETE', `/api/v1/team/members/${solo.ownerId}`, { key: other.body.api_key }),
    ]);
    const owners =
      await api.pool`select id from agents where business_id = ${solo.id} and role = 'owner' and is_active`;
    expect(owners).toHaveLength(1);
  });

  it('gives waiting conversations to agents, and takes them back from one who leaves', async () => {
    const key = acme.key;
    await api.call('POST', '/api/v1/channels', { key, body: { type: 'webchat' } });
    const { body: conversation } = await api.call('POST', '/api/v1/conversations', {
      key,
      body: { business_id: acme.id },
    });
    const path = `/api/v1/conversations/${conversation.id}`;
    await api.call('POST', `${path}/handoff`, { key, body: { reason: 'complex_issue' } });
    const waiting = await api.call('GET', '/api/v1/team/pending-handoffs', { key });
    expect(waiting.body.data).toMatchObject([{ id: conversation.id, handoff_reason: 'complex_issue' }]);
    const email = 'grace@example.com';
    const { body: agent } = await api.call('POST', '/api/v1/team/invite', { key, body: { email } });
    const assigned = await api.call('POST', `/api/v1/team/assign/${conversation.id}?agent_id=${agent.id}`, {
      key,
    });
    expect([assigned.status, assigned.body.assignee_id]).toEqual([200, agent.id]);
    expect((await api.call('GET', '/api/v1/team/pending-handoffs', { key })).body.data).toEqual([]);
    await api.call('DELETE', `/api/v1/team/members/${agent.id}`, { key });
    expect((await api.call('GET', path, { key })).body.assignee_id).toBeNull();
  });
});
