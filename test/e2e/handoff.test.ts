import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { botKey } from '../support/inbox.ts';

let gateway: TestGateway;
let bot: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  bot = await botKey(gateway);
});
afterAll(() => gateway.stop());

interface Conversation {
  id: string;
  needs_human_handoff: boolean;
  handoff_reason: string | null;
  handoff_requested_at: string | null;
  last_message_seq: number;
}

async function ok<T = Conversation>(method: string, path: string, body?: unknown, key?: string): Promise<T> {
  const answer = await gateway.call<T>(method, `/api/v1${path}`, body, key === undefined ? {} : { key });
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const opened = async () => (await ok('POST', '/conversations', { business_id: gateway.businessId })).id;
const handOff = (id: string, reason?: string) =>
  ok('POST', `/conversations/${id}/handoff`, reason === undefined ? {} : { reason }, bot);
const pending = async () =>
  (await ok<{ data: Conversation[] }>('GET', '/team/pending-handoffs')).data.map(({ id }) => id);

it('lists what waits for a person by how long it waits, whatever is older or was written to since', async () => {
  const [first, second, third] = [await opened(), await opened(), await opened()];
  await handOff(second, 'complex_issue');
  await handOff(third);
  const { handoff_requested_at } = await handOff(first, 'user_requested');
  expect(await pending()).toEqual([second, third, first]);
  await ok('POST', `/conversations/${third}/messages`, { content: 'A person comes soon.' }, bot);
  const renamed = await handOff(first, 'angry');
  expect(renamed).toMatchObject({ handoff_reason: 'angry', handoff_requested_at });
  expect(await handOff(first, 'angry')).toEqual(renamed);
  expect(await pending()).toEqual([second, third, first]);
  const page = await ok<{ data: Conversation[]; meta: { next_cursor: string } }>(
    'GET',
    '/team/pending-handoffs?limit=2',
  );
  const rest = await ok<{ data: Conversation[] }>(
    'GET',
    `/team/pending-handoffs?limit=2&cursor=${encodeURIComponent(page.meta.next_cursor)}`,
  );
  expect([...page.data, ...rest.data].map(({ id }) => id)).toEqual([second, third, first]);
  for (const id of [first, second, third]) await ok('PUT', `/conversations/${id}/close`);
});

it('takes off the list what a person took, answered, resolved or closed', async () => {
  const path = (id: string) => `/conversations/${id}`;
  const ends: ((id: string) => Promise<unknown>)[] = [
    (id) => ok('POST', `${path(id)}/assign`, { assignee_id: gateway.agentId }),
    (id) => ok('POST', `${path(id)}/messages`, { content: 'I am here' }),
    (id) => ok('PUT', `${path(id)}/resolve`),
    (id) => ok('PATCH', path(id), { status: 'closed' }),
  ];
  for (const end of ends) {
    const id = await opened();
    await handOff(id, 'complex_issue');
    await ok('POST', `${path(id)}/messages`, { content: 'Still me' }, bot);
    await ok('POST', `${path(id)}/messages`, { content: 'Somebody look', type: 'note' });
    expect(await pending()).toEqual([id]);
    await end(id);
    expect(await pending()).toEqual([]);
    expect(await ok('GET', path(id))).toMatchObject({
      needs_human_handoff: false,
      handoff_reason: null,
      handoff_requested_at: null,
    });
  }
});

it('lets no bot answer what somebody took while it was thinking', async () => {
  const team = await ok<{ id: string }>('POST', '/teams', { name: 'Nobody is live' });
  const write = (id: string, if_assignee_id: string) =>
    gateway.call<{ error?: object }>(
      'POST',
      `/api/v1/conversations/${id}/messages`,
      { content: `only while ${if_assignee_id} has it`, if_assignee_id },
      { key: bot },
    );
  for (const taken of [gateway.agentId, team.id]) {
    const id = await opened();
    expect((await write(id, 'none')).status).toBe(202);
    expect((await write(id, taken)).status).toBe(409);
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: taken });
    const refused = await write(id, 'none');
    expect([refused.status, Object.values(refused.body.error ?? {})]).toEqual([
      409,
      expect.arrayContaining(['conflict', taken]),
    ]);
    expect((await write(id, taken)).status).toBe(202);
    expect((await write(id, 'anybody')).status).toBe(422);
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: null });
    expect((await write(id, 'none')).status).toBe(202);
  }
});

it('is given back to the AI in so many words: an event, and a line of the timeline', async () => {
  const id = await opened();
  await handOff(id, 'complex_issue');
  for (let n = 0; n < 2; n += 1)
    expect(await ok('DELETE', `/conversations/${id}/handoff`)).toMatchObject({ needs_human_handoff: false });
  const { data } = await ok<{ data: { metadata: object }[] }>(
    'GET',
    `/conversations/${id}/messages?include=activity`,
  );
  const activities = data.map(({ metadata }) => metadata);
  expect(activities).toMatchObject([{ activity: 'handoff_requested' }, { activity: 'handed_back' }]);
  await eventually(async () => {
    const rows = await gateway.pool`
      select type, data->'changed' as changed, data->'actor'->>'id' as by from events
      where conversation_id = ${id} and type <> 'conversation.created' order by seq`;
    expect(rows).toMatchObject([
      { type: 'conversation.handoff_requested' },
      { type: 'conversation.updated', changed: ['needs_human_handoff'], by: gateway.agentId },
    ]);
  });
});

it('lets one of many answers to the same message through, and a late one of a bot never', async () => {
  const id = await opened();
  const write = (content: string, if_last_seq: number, key?: string) =>
    gateway.call<{ error?: { code: string; last_seq: number } }>(
      'POST',
      `/api/v1/conversations/${id}/messages`,
      { content, if_last_seq },
      key === undefined ? {} : { key },
    );
  const answers = await Promise.all(Array.from({ length: 10 }, (_, n) => write(`bot ${n}`, 0, bot)));
  expect(answers.map(({ status }) => status).toSorted()).toEqual([202, ...Array(9).fill(409)]);
  expect(answers.find(({ status }) => status === 409)?.body.error).toMatchObject({
    code: 'conflict',
    last_seq: 1,
  });
  expect((await write('a person', 1)).status).toBe(202);
  expect((await write('too late', 1, bot)).status).toBe(409);
  await eventually(async () => {
    const rows = await gateway.pool`select status from messages where conversation_id = ${id}`;
    expect(rows.map((row) => row['status'])).toEqual(['sent', 'sent']);
  });
});
