import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { startApi, type TestAnswer, type TestApi, type TestBusiness } from '../support/api.ts';

// Everything of the victim carries this word, so that no answer to the attacker may hold it.
const MARK = 'victims-own';
const FUTURE = '2099-01-01T00:00:00Z';

let api: TestApi;
let victim: TestBusiness;
let attacker: TestBusiness;
let attackerConversation: string;
/** What the attacker may name in a path: `{id}` below each noun. */
let own: Record<string, string>;
let ids: Record<
  | 'agent'
  | 'team'
  | 'canned'
  | 'rule'
  | 'apiKey'
  | 'channel'
  | 'customer'
  | 'conversation'
  | 'message'
  | 'attachment'
  | 'inbound'
  | 'endpoint'
  | 'delivery'
  | 'draft'
  | 'blocked',
  string
>;
let routes: Route[];

interface Route {
  method: string;
  path: string;
  query: string[];
  hasBody: boolean;
  isUpload: boolean;
}

/** A body that each route accepts from its own business, with nothing foreign in it. */
const BODIES: Record<string, unknown> = {
  'PATCH /api/v1/channels/{id}': { name: 'taken' },
  'PATCH /api/v1/teams/{id}': { name: 'taken' },
  'PATCH /api/v1/automation-rules/{id}': { name: 'taken' },
  'POST /api/v1/automation-rules/{id}/dry-run': {
    conversation_id: '01900000-0000-7000-8000-000000000000',
  },
  'PATCH /api/v1/canned-responses/{id}': { title: 'taken' },
  'POST /api/v1/canned-responses/{id}/render': {
    conversation_id: '01900000-0000-7000-8000-000000000000',
  },
  'PATCH /api/v1/conversations/{id}': { subject: 'taken' },
  'PUT /api/v1/conversations/{id}': { subject: 'taken' },
  'POST /api/v1/conversations/{id}/assign': { assignee_id: null },
  'POST /api/v1/conversations/{id}/snooze': { until: FUTURE },
  'POST /api/v1/conversations/{id}/csat': { score: 1 },
  'POST /api/v1/conversations/{id}/tags': { tags: ['taken'] },
  'POST /api/v1/conversations/{id}/handoff': { reason: 'taken' },
  'POST /api/v1/conversations/{id}/read': { up_to_seq: 1 },
  'POST /api/v1/conversations/{id}/unread': { from_seq: 1 },
  'POST /api/v1/conversations/{id}/typing': { is_typing: true },
  'POST /api/v1/conversations/{id}/messages': { content: 'taken' },
  'POST /api/v1/conversations/{id}/reply': { message: 'taken', type: 'reply' },
  'POST /api/v1/drafts/{id}/accept': { content: 'taken' },
  'POST /api/v1/conversations/{id}/merge': { into: '01900000-0000-7000-8000-000000000000' },
  'PATCH /api/v1/messages/{id}': { content: 'taken' },
  'PUT /api/v1/messages/{id}/reaction': { emoji: '👍' },
  'PATCH /api/v1/customers/{id}': { name: 'taken' },
  'POST /api/v1/customers/{id}/consents': {
    channel_id: '01900000-0000-7000-8000-000000000000',
    consent: 'stop',
  },
  'POST /api/v1/customers/{id}/merge': { from: '01900000-0000-7000-8000-000000000000' },
  'PUT /api/v1/customers/{id}': { name: 'taken' },
  'PATCH /api/v1/webhook-endpoints/{id}': { description: 'taken' },
  'POST /api/v1/webhook-endpoints/{id}/rotate-secret': {},
  'POST /api/v1/webhook-endpoints/{id}/recover': { since: '2020-01-01T00:00:00Z' },
  'POST /api/v1/webhook-endpoints/{id}/replay': { since: '2020-01-01T00:00:00Z' },
  'PUT /api/support/conversations/{id}': { status: 'closed' },
  'POST /api/support/conversations/{id}/assign': { assigneeId: null },
  'POST /api/support/conversations/{id}/snooze': { until: FUTURE },
  'POST /api/support/conversations/{id}/tags': { tags: ['taken'] },
  'POST /api/support/conversations/{id}/messages': { type: 'text', content: 'taken' },
  'POST /api/support/conversations/{id}/reply': { message: 'taken', type: 'reply' },
};

const assigning = (assigneeId: string) => ({
  trigger: 'message.received',
  actions: [{ type: 'assign', assigneeId }],
});

/** Bodies of the attacker's own routes that name something of the victim, and the field that is refused. */
const foreignBodies = (): [route: string, body: object, field: string | null][] => [
  ['POST /api/v1/conversations', { business_id: victim.id }, 'business_id'],
  ['POST /api/v1/conversations', { business_id: attacker.id, customer_id: ids.customer }, 'customer_id'],
  ['POST /api/v1/conversations', { business_id: attacker.id, channel_id: ids.channel }, null],
  ['POST /api/v1/conversations', { business_id: attacker.id, assignee_id: ids.agent }, 'assignee_id'],
  ['PATCH /api/v1/conversations/{id}', { customer_id: ids.customer }, 'customer_id'],
  ['PUT /api/v1/conversations/{id}', { customer_id: ids.customer }, 'customer_id'],
  ['POST /api/v1/conversations/{id}/assign', { assignee_id: ids.agent }, 'assignee_id'],
  ['POST /api/v1/conversations/{id}/assign', { assignee_id: ids.team }, 'assignee_id'],
  ['POST /api/v1/teams', { name: 'x', members: [ids.agent] }, 'members.0'],
  ['PATCH /api/v1/teams/{id}', { members: [ids.agent] }, 'members.0'],
  ['POST /api/v1/channels', { type: 'webchat', assignment: { team_id: ids.team } }, 'assignment.team_id'],
  ['PATCH /api/v1/channels/{id}', { assignment: { agent_ids: [ids.agent] } }, 'assignment.agent_ids.0'],
  ['PATCH /api/v1/channels/{id}', { assignment: { team_id: ids.team } }, 'assignment.team_id'],
  ['POST /api/v1/conversations/{id}/merge', { into: ids.conversation }, 'into'],
  ['POST /api/v1/conversations/{id}/messages', { content: 'x', reply_to_id: ids.message }, 'reply_to_id'],
  [
    'POST /api/v1/conversations/{id}/messages',
    { content: 'x', attachments: [{ url: api.deps.attachments.url(ids.attachment) }] },
    'attachments.0.url',
  ],
  ['POST /api/v1/automation-rules/{id}/dry-run', { conversation_id: ids.conversation }, 'conversation_id'],
  ['POST /api/v1/automation-rules', assigning(ids.agent), 'actions.0.assigneeId'],
  ['PATCH /api/v1/automation-rules/{id}', assigning(ids.team), 'actions.0.assigneeId'],
  ['POST /api/support/automation-rules', assigning(ids.team), 'actions.0.assigneeId'],
  ['POST /api/v1/canned-responses/{id}/render', { conversation_id: ids.conversation }, 'conversation_id'],
  [
    'POST /api/v1/canned-responses',
    { title: 'x', content: 'x', attachments: [{ id: ids.attachment }] },
    'attachments.0',
  ],
  [
    'POST /api/support/canned-responses',
    { title: 'x', content: 'x', attachments: [api.deps.attachments.url(ids.attachment)] },
    'attachments.0',
  ],
  ['POST /api/v1/blocked-senders', { customer_id: ids.customer }, 'customer_id'],
  ['POST /api/v1/ai/reply', { conversation_id: ids.conversation }, 'conversation_id'],
  ['POST /api/v1/messages', { channel_id: ids.channel, to: 'x', content: 'x' }, null],
  ['POST /api/v1/api-keys', { name: 'x', agent_id: ids.agent }, 'agent_id'],
  ['POST /api/support/conversations/{id}/assign', { assigneeId: ids.agent }, 'assigneeId'],
  [
    'POST /api/support/conversations/{id}/messages',
    { type: 'attachment', attachments: [{ url: api.deps.attachments.url(ids.attachment) }] },
    'attachments.0.url',
  ],
];

/** Routes that take neither an id nor a body which could name one. */
const WITHOUT_IDS = new Set([
  'GET /health/live',
  'GET /health/ready',
  'GET /metrics',
  'GET /api/v1/business',
  'PATCH /api/v1/business',
  'GET /api/v1/business/ai',
  'PUT /api/v1/business/ai',
  'DELETE /api/v1/business/ai',
  'POST /api/v1/businesses',
  'POST /api/v1/team/invite',
  'PATCH /api/v1/team/status',
  'POST /api/v1/channels',
  'POST /api/v1/canned-responses/upload',
  'POST /api/v1/customers',
  'POST /api/v1/webhook-endpoints',
  'POST /api/v1/realtime/tickets',
  'POST /api/support/webhooks',
]);

/** What a visitor or a provider reaches by the channel's public id, each with a token or signature of its own. */
const isPublic = ({ path }: Route) => path.startsWith('/webhooks/') || path.includes('/webchat/');

beforeAll(async () => {
  api = await startApi();
  victim = await api.business(MARK);
  attacker = await api.business('Attacker');
  ids = await everythingOf(victim);
  own = await belongingsOf(attacker);
  attackerConversation = own['conversations'] ?? '';
  routes = await readRoutes();
}, 60_000);
afterAll(() => api.stop());

async function as(business: TestBusiness, method: string, path: string, body?: unknown): Promise<TestAnswer> {
  return api.call(method, path, { key: business.key, body });
}

async function everythingOf(business: TestBusiness) {
  const channel = (await as(business, 'POST', '/api/v1/channels', { type: 'webchat', name: MARK })).body.id;
  const agent = (
    await as(business, 'POST', '/api/v1/team/invite', { email: `${MARK}@example.com`, name: MARK })
  ).body.id;
  const team = (await as(business, 'POST', '/api/v1/teams', { name: MARK, members: [agent] })).body.id;
  const canned = (
    await as(business, 'POST', '/api/v1/canned-responses', { title: MARK, shortcut: MARK, content: MARK })
  ).body.id;
  const rule = (
    await as(business, 'POST', '/api/v1/automation-rules', {
      name: MARK,
      ...assigning(agent),
      is_active: false,
    })
  ).body.id;
  const apiKey = (await as(business, 'POST', '/api/v1/api-keys', { name: MARK })).body.id;
  const customer = (
    await as(business, 'POST', '/api/v1/customers', {
      name: MARK,
      email: `${MARK}@example.com`,
      external_id: MARK,
    })
  ).body.id;
  const blocked = (await as(business, 'POST', '/api/v1/blocked-senders', { address: `${MARK}@spam.example` }))
    .body.id;
  const opened = await as(business, 'POST', '/api/v1/conversations', {
    business_id: business.id,
    customer_id: customer,
    initial_message: MARK,
    subject: MARK,
  });
  const conversation = opened.body.id;
  const message = opened.body.messages[0].id;
  await as(business, 'POST', `/api/v1/conversations/${conversation}/tags`, { tags: [MARK] });
  await as(business, 'POST', `/api/v1/conversations/${conversation}/handoff`, { reason: MARK });
  const rows = await insertRows(business, { channel, conversation });
  return { agent, team, canned, rule, apiKey, blocked, channel, customer, conversation, message, ...rows };
}

async function insertRows(
  { id: business_id }: TestBusiness,
  { channel, conversation }: { channel: string; conversation: string },
) {
  const { pool } = api;
  const [attachment, inbound, endpoint, delivery, draft] = [newId(), newId(), newId(), newId(), newId()];
  await pool`insert into attachments (id, business_id, conversation_id, name, content_type, size_bytes, state, storage_key, uploaded_by)
    values (${attachment}, ${business_id}, ${conversation}, ${MARK}, 'text/plain', 1, 'uploaded', ${MARK}, 'agents')`;
  await pool`insert into inbound_requests (id, received_at, business_id, channel_id, status, body)
    values (${inbound}, now(), ${business_id}, ${channel}, 'failed', ${Buffer.from(MARK)})`;
  await pool`insert into webhook_endpoints (id, business_id, url, events, description)
    values (${endpoint}, ${business_id}, 'https://example.com', '{*}', ${MARK})`;
  await pool`insert into deliveries (id, created_at, business_id, endpoint_id, event_id, event_seq, event_type, body, status)
    values (${delivery}, now(), ${business_id}, ${endpoint}, ${newId()}, 1, 'message.created', ${MARK}, 'failed')`;
  await pool`insert into ai_turns (id, business_id, conversation_id, mode, state, last_seq, reply, confidence)
    values (${draft}, ${business_id}, ${conversation}, 'assist', 'drafted', 1, ${MARK}, 1)`;
  return { attachment, inbound, endpoint, delivery, draft };
}

async function belongingsOf(business: TestBusiness): Promise<Record<string, string>> {
  const create = async (noun: string, body: object) =>
    (await as(business, 'POST', `/api/v1/${noun}`, body)).body.id as string;
  return {
    channels: await create('channels', { type: 'webchat' }),
    conversations: await create('conversations', { business_id: business.id }),
    teams: await create('teams', { name: 'Attackers' }),
    'automation-rules': await create('automation-rules', {
      trigger: 'message.received',
      actions: [{ type: 'addTag', tag: 'x' }],
    }),
    'canned-responses': await create('canned-responses', { title: 'x', content: 'x' }),
  };
}

async function readRoutes(): Promise<Route[]> {
  const { body } = await api.call('GET', '/openapi.json');
  return Object.entries<Record<string, Operation>>(body.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { parameters = [], requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      query: parameters.filter((parameter) => parameter.in === 'query').map(({ name }) => name),
      hasBody: requestBody?.content['application/json'] !== undefined,
      isUpload: requestBody?.content['multipart/form-data'] !== undefined,
    })),
  );
}

interface Operation {
  parameters?: { name: string; in: string }[];
  requestBody?: { content: Record<string, unknown> };
}

const nameOf = ({ method, path }: Route) => `${method} ${path}`;
const codeOf = ({ body }: TestAnswer) => body?.error?.code?.toLowerCase();
/** The field that a refusal names, in either dialect. */
const fieldOf = ({ body }: TestAnswer) => (body.error.details.fields ?? body.error.details)[0]?.field;
const hasId = ({ path }: Route) => path.includes('{');

/** The victim's ids at their places in a path. */
function foreignPath({ path }: Route): string {
  return path
    .replaceAll(/\{(\w+)\}/g, (_, name: string) => idFor(path, name))
    .concat(path.includes('/team/assign/') ? `?agent_id=${attacker.ownerId}` : '');
}

function idFor(path: string, name: string): string {
  if (name === 'tag' || name === 'tagId') return MARK;
  if (name === 'agent_id') return ids.agent;
  if (name === 'conversation_id') return ids.conversation;
  if (name === 'delivery_id' || name === 'deliveryId') return ids.delivery;
  const nouns: Record<string, string> = {
    'api-keys': ids.apiKey,
    team: ids.agent,
    teams: ids.team,
    'canned-responses': ids.canned,
    'automation-rules': ids.rule,
    channels: ids.channel,
    'inbound-events': ids.inbound,
    conversations: ids.conversation,
    messages: ids.message,
    drafts: ids.draft,
    attachments: ids.attachment,
    customers: ids.customer,
    visitors: ids.customer,
    'blocked-senders': ids.blocked,
    'webhook-endpoints': ids.endpoint,
  };
  const id = nouns[path.split('/')[3] ?? ''];
  if (id === undefined) throw new Error(`this test has no id for ${path}: add one`);
  return id;
}

function aFile(): FormData {
  const form = new FormData();
  form.set('file', new File(['x'], 'x.txt', { type: 'text/plain' }));
  return form;
}

/** All that the victim has, as one text. */
async function stateOf(business: TestBusiness): Promise<string> {
  const tables = [
    'businesses',
    'agents',
    'teams',
    'canned_responses',
    'automation_rules',
    'team_members',
    'channels',
    'customers',
    'identities',
    'conversations',
    'messages',
    'attachments',
    'webhook_endpoints',
    'deliveries',
    'inbound_requests',
    'ai_hooks',
    'ai_turns',
    'blocked_senders',
    'customer_addresses',
  ];
  const states = await Promise.all(
    tables.map((table) => {
      const column = table === 'businesses' ? 'id' : 'business_id';
      return api.pool.unsafe(
        `select '${table}' as table, t::text as row from ${table} t where ${column} = $1 order by 2`,
        [business.id],
      );
    }),
  );
  return JSON.stringify(states);
}

function expectNothing(route: string, answer: TestAnswer): void {
  expect(answer.text, route).not.toContain(MARK);
  expect(answer.text, route).not.toContain(victim.id);
}

describe('another business', () => {
  it('finds nothing by the ids of ours in any path, and changes nothing', async () => {
    const before = await stateOf(victim);
    for (const route of routes.filter((it) => hasId(it) && !isPublic(it))) {
      const name = nameOf(route);
      if (route.hasBody)
        expect(BODIES, `${name}: add a body that its own business may send`).toHaveProperty([name]);
      const raw = route.isUpload ? { raw: aFile() } : {};
      const options = { key: attacker.key, body: BODIES[name], ...raw };
      const answer = await api.call(route.method, foreignPath(route), options);
      expect([name, answer.status, codeOf(answer)]).toEqual([name, 404, 'not_found']);
      expectNothing(name, answer);
    }
    expect(await stateOf(victim)).toBe(before);
  }, 60_000);

  it('is refused where a body names something of ours', async () => {
    const before = await stateOf(victim);
    for (const [name, body, field] of foreignBodies()) {
      const [method = '', path = ''] = name.split(' ');
      const answer = await as(
        attacker,
        method,
        path.replace('{id}', own[path.split('/')[3] ?? ''] ?? ''),
        body,
      );
      expect([name, field, answer.status]).toEqual([name, field, field === null ? 400 : 422]);
      if (field !== null) expect(fieldOf(answer), name).toBe(field);
      expectNothing(name, answer);
    }
    const assigned = await as(
      attacker,
      'POST',
      `/api/v1/team/assign/${attackerConversation}?agent_id=${ids.agent}`,
    );
    expect([assigned.status, assigned.body.error.details[0].field]).toEqual([422, 'agent_id']);
    const byPath = await as(
      attacker,
      'PUT',
      `/api/v1/conversations/${attackerConversation}/assign/${ids.agent}`,
    );
    expect(byPath.status).toBe(404);
    const intoTeam = await as(attacker, 'PUT', `/api/v1/teams/${own['teams']}/members/${ids.agent}`);
    expect(intoTeam.status).toBe(404);
    expect(await stateOf(victim)).toBe(before);
  }, 60_000);

  it('finds nothing of ours below something of its own', async () => {
    const created = await as(attacker, 'POST', '/api/v1/webhook-endpoints', {
      url: 'https://example.com',
      events: ['*'],
    });
    const path = `/api/v1/webhook-endpoints/${created.body.id}/deliveries/${ids.delivery}`;
    for (const answer of [await as(attacker, 'GET', path), await as(attacker, 'POST', `${path}/retry`)]) {
      expect(answer.status).toBe(404);
      expectNothing(path, answer);
    }
  });

  it('sees nothing of ours in any list, whatever it is filtered by', async () => {
    const filters: Record<string, string> = {
      channel_id: ids.channel,
      customer_id: ids.customer,
      assignee_id: ids.agent,
      agent_id: ids.agent,
      subject_id: ids.apiKey,
      tag: MARK,
      q: MARK,
      email: `${MARK}@example.com`,
      external_id: MARK,
      needs_human_handoff: 'true',
      inboxId: ids.channel,
      visitorId: ids.customer,
      assigneeId: ids.agent,
    };
    for (const route of routes.filter(
      (it) => it.method === 'GET' && !hasId(it) && !WITHOUT_IDS.has(nameOf(it)),
    )) {
      const name = nameOf(route);
      const used = [undefined, ...route.query.filter((filter) => filter in filters)];
      for (const filter of used) {
        const query = filter === undefined ? '' : `?${filter}=${encodeURIComponent(filters[filter] ?? '')}`;
        const answer = await as(attacker, 'GET', `${route.path}${query}`);
        expect([name, query, answer.status < 300 || answer.status === 422]).toEqual([name, query, true]);
        expectNothing(`${name}${query}`, answer);
      }
    }
  }, 60_000);

  it('has no route that this test does not know', () => {
    const bodies = new Set(foreignBodies().map(([name]) => name));
    const unknown = routes.filter((route) => {
      if (hasId(route) || route.method === 'GET') return false;
      return !WITHOUT_IDS.has(nameOf(route)) && !bodies.has(nameOf(route));
    });
    expect(unknown.map(nameOf)).toEqual([]);
  });
});

describe('somebody without a key', () => {
  it('is refused on every route that needs one, before anything else is looked at', async () => {
    const open = new Set(['GET /health/live', 'GET /health/ready']);
    for (const route of routes.filter((it) => !isPublic(it) && !open.has(nameOf(it)))) {
      const answer = await api.call(route.method, foreignPath(route), {
        raw: route.method === 'GET' ? undefined : '{',
      } as object);
      expect([nameOf(route), answer.status]).toEqual([nameOf(route), 401]);
    }
  }, 60_000);

  it('reaches a channel only with its own token or signature', async () => {
    for (const route of routes.filter(isPublic)) {
      const name = nameOf(route);
      if (name.endsWith('/config')) continue;
      const path = route.path.replace('{type}', 'webchat').replaceAll(/\{\w+\}/g, ids.channel);
      const answer = await api.call(route.method, path, { key: attacker.key });
      expect([name, answer.status >= 400 && answer.status < 500]).toEqual([name, true]);
      expectNothing(name, answer);
    }
  });
});
