import { afterAll, beforeAll, expect, it } from 'vitest';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';

let api: TestApi;
let acme: TestBusiness;

beforeAll(async () => {
  api = await startApi();
  acme = await api.business();
});
afterAll(() => api.stop());

const log = (key: string, query = '') => api.call('GET', `/api/v1/audit-log${query}`, { key });

it('tells owners and admins who did what, newest first, and never a secret', async () => {
  const { key } = acme;
  const secret = 'an identity secret that nobody reads';
  const channel = await api.call('POST', '/api/v1/channels', {
    key,
    body: { type: 'webchat', config: { identity_secret: secret } },
  });
  const invited = await api.call('POST', '/api/v1/team/invite', {
    key,
    body: { email: 'ada@example.com', name: 'Ada', role: 'admin' },
  });
  const ada = invited.body.api_key;
  await api.call('PATCH', `/api/v1/channels/${channel.body.id}`, { key: ada, body: { name: 'Shop' } });
  const team = await api.call('POST', '/api/v1/teams', { key: ada, body: { name: 'Sales' } });
  const made = await api.call('POST', '/api/v1/api-keys', { key, body: { name: 'Reports' } });
  await api.call('DELETE', `/api/v1/api-keys/${made.body.id}`, { key });

  const { body, text } = await log(ada);
  expect(body.data.map((entry: { action: string }) => entry.action)).toEqual([
    'api_key.revoked',
    'api_key.created',
    'team.created',
    'channel.updated',
    'agent.invited',
    'channel.created',
  ]);
  expect(body.data[2]).toMatchObject({
    subject_id: team.body.id,
    agent: { id: invited.body.id, name: 'Ada' },
  });
  expect(body.data[2].api_key.name).toBe('Ada');
  for (const hidden of [secret, ada, key, made.body.key]) expect(text).not.toContain(hidden);
});

it('is filtered and paged', async () => {
  const { key } = acme;
  const [newest] = (await log(key)).body.data;
  const changed = await log(key, '?action=channel.updated');
  expect(changed.body.data).toHaveLength(1);
  const about = await log(key, `?subject_id=${newest.subject_id}`);
  expect(about.body.data.map((entry: { action: string }) => entry.action)).toEqual([
    'api_key.revoked',
    'api_key.created',
  ]);
  expect((await log(key, `?agent_id=${acme.ownerId}`)).body.data).toHaveLength(4);
  const seen: string[] = [];
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await log(key, `?limit=4${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`);
    seen.push(...page.body.data.map((entry: { id: string }) => entry.id));
    cursor = page.body.meta.next_cursor;
  }
  expect([seen.length, new Set(seen).size]).toEqual([6, 6]);
});

it('is nobody else’s', async () => {
  for (const role of ['agent', 'bot'] as const)
    expect((await log(await api.keyFor(acme.id, role))).status).toBe(403);
  const other = await api.business('Other');
  expect((await log(other.key)).body.data).toEqual([]);
});

it('shows the first of what was very much, and how much it was', async () => {
  const ids = Array.from({ length: 150 }, () => crypto.randomUUID());
  await api.pool`
    insert into audit_log (id, business_id, action, detail)
    values (gen_random_uuid(), ${acme.id}, 'customer.merged', ${api.pool.json({ conversations: ids, into: 'x' })})`;
  const { body } = await log(acme.key, '?action=customer.merged');
  expect(body.data[0].detail).toEqual({
    conversations: ids.slice(0, 100),
    conversations_count: 150,
    into: 'x',
  });
});
