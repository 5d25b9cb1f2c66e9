import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { ADMIN_API_KEY, startApi, type TestApi, type TestBusiness } from '../support/api.ts';

let api: TestApi;
let business: TestBusiness;
/** Of each noun in a path, one of the business. */
let shared: Record<string, string>;

beforeAll(async () => {
  api = await startApi();
  business = await api.business();
  shared = {
    'automation-rules': await created('automation-rules', {
      trigger: 'message.received',
      actions: [{ type: 'addTag', tag: 'x' }],
    }),
    'canned-responses': await created('canned-responses', { title: 'x', content: 'x' }),
    channels: await created('channels', {
      type: 'api',
      config: { callback_url: 'https://a.example' },
      is_default: true,
    }),
    teams: await created('teams', { name: 'Support' }),
    'webhook-endpoints': await created('webhook-endpoints', { url: 'https://a.example', events: ['*'] }),
  };
});
afterAll(() => api.stop());

interface Example {
  route: string;
  method: string;
  path: string;
  body: object;
}

async function examples(): Promise<Example[]> {
  const { body: document } = await api.call('GET', '/openapi.json');
  return Object.entries<Record<string, Operation>>(document.paths).flatMap(([path, item]) =>
    Object.entries(item).flatMap(([method, { requestBody }]) => {
      const content = requestBody?.content['application/json'];
      const route = `${method.toUpperCase()} ${path}`;
      return content === undefined
        ? []
        : [{ route, method: method.toUpperCase(), path, body: content.example }];
    }),
  );
}

interface Operation {
  requestBody?: { content: Record<string, { example: object }> };
}

/** The id of something new. */
async function created(noun: string, body: object): Promise<string> {
  const { body: answer } = await api.call('POST', `/api/v1/${noun}`, { key: business.key, body });
  return answer.id;
}

/** A conversation and a customer of each example's own: some of them end one or let it be merged. */
async function fresh() {
  const customer = await created('customers', { name: 'Ada' });
  await api.pool`
    insert into identities (id, business_id, customer_id, channel_id, kind, address)
    values (${newId()}, ${business.id}, ${customer}, ${shared['channels'] ?? ''}, 'visitor', ${customer})`;
  const conversation = await created('conversations', {
    business_id: business.id,
    customer_id: customer,
    initial_message: 'x',
  });
  return { customer, conversation };
}
type Fresh = Awaited<ReturnType<typeof fresh>>;

async function inPath(path: string, { customer, conversation }: Fresh): Promise<string> {
  const noun = path.split('/')[3] ?? '';
  if (noun === 'conversations') return conversation;
  if (noun === 'customers') return customer;
  if (noun === 'messages')
    return created(`conversations/${conversation}/messages`, {
      content: 'x',
      send_at: '2099-01-01T00:00:00Z',
    });
  if (noun === 'drafts') return draftIn(conversation);
  return shared[noun] ?? '';
}

async function draftIn(conversation: string): Promise<string> {
  const id = newId();
  await api.pool`
    insert into ai_turns (id, business_id, conversation_id, mode, state, last_seq, reply, confidence)
    values (${id}, ${business.id}, ${conversation}, 'assist', 'drafted', 1, 'Yes', 1)`;
  return id;
}

/** The same example with ids of this business where it names something. */
async function named(example: object, mine: Fresh): Promise<unknown> {
  const other = 'from' in example || 'into' in example ? await fresh() : mine;
  const ids: Record<string, unknown> = {
    business_id: business.id,
    customer_id: mine.customer,
    conversation_id: mine.conversation,
    channel_id: shared['channels'],
    agent_id: business.ownerId,
    assignee_id: business.ownerId,
    assigneeId: business.ownerId,
    agent_ids: [business.ownerId],
    members: [business.ownerId],
    team_id: shared['teams'],
    from: other.customer,
    into: other.conversation,
  };
  return JSON.parse(JSON.stringify(example), (field, value) =>
    value === null ? null : (ids[field] ?? value),
  );
}

describe('the examples of the documentation', () => {
  it('are accepted as they stand but for their ids', async () => {
    const refused: unknown[] = [];
    for (const { route, method, path, body } of await examples()) {
      const mine = await fresh();
      const id = await inPath(path, mine);
      const answer = await api.call(method, path.replace('{id}', id), {
        key: path === '/api/v1/businesses' ? ADMIN_API_KEY : business.key,
        body: await named(body, mine),
      });
      // What is taken already, or cannot be done here, is no fault of the example's.
      if (answer.status >= 400 && answer.status !== 409)
        refused.push([route, answer.status, answer.body.error]);
    }
    expect(refused).toEqual([]);
  });
});
