import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { emailChannel } from '../support/email/channel.ts';
import { mail } from '../support/email/mails.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { untilRead } from '../support/readers.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});
afterAll(() => gateway.stop());
beforeEach(() => set({ greeting: null, out_of_hours: null, assignment: { mode: 'manual' } }));
afterEach(closeAll);

interface Message {
  content: string;
  sender_type: string;
  metadata: { caused_by?: { rule: string } };
}

const NEVER = { mode: 'manual', working_hours: { timezone: 'UTC', schedule: {} } };
const ALL_DAY = [{ start: '00:00', end: '24:00' }];
const ALWAYS = {
  mode: 'manual',
  working_hours: {
    timezone: 'UTC',
    schedule: {
      mon: ALL_DAY,
      tue: ALL_DAY,
      wed: ALL_DAY,
      thu: ALL_DAY,
      fri: ALL_DAY,
      sat: ALL_DAY,
      sun: ALL_DAY,
    },
  },
};

async function ok<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await gateway.call<T>(method, `/api/v1${path}`, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const set = (fields: object, channel = gateway.channelId) => ok('PATCH', `/channels/${channel}`, fields);

const messages = async (id: string) =>
  (await ok<{ messages: Message[] }>('GET', `/conversations/${id}`)).messages.map(
    ({ sender_type, content }) => `${sender_type}: ${content}`,
  );

async function visitor(name: string, content: string) {
  const socket = await connect(gateway.url, { business_id: gateway.businessId });
  const ask = async (text: string, more: object = {}) =>
    (await socket.ask('client_message', { content: text, customer_data: { name }, ...more }))[
      'conversation_id'
    ] as string;
  return { id: await ask(content), ask };
}

/** Waits until the greeter has heard all that happened so far. */
async function settled(): Promise<void> {
  await untilRead(gateway.pool, 'greeter');
}

it('greets whoever begins a conversation, once a day', async () => {
  await set({ greeting: 'Hi {{visitor.name | there}}, welcome to {{company.name}}!' });
  const { name } = await ok<{ name: string }>('GET', '/business');
  const { id, ask } = await visitor('Ada', 'hello');
  const greeted = ['customer: hello', `system: Hi Ada, welcome to ${name}!`];
  await eventually(async () => expect(await messages(id)).toEqual(greeted));
  await ask('and more', { conversation_id: id });
  const again = await ask('something else', { new: true });
  expect(again).not.toBe(id);
  await settled();
  expect(await messages(id)).toEqual([...greeted, 'customer: and more']);
  expect(await messages(again)).toEqual(['customer: something else']);
  expect(await ok('GET', `/conversations/${id}`)).toMatchObject({ first_response_at: null });
  await gateway.pool`update automatic_answers set silent_until = now() - interval '1 second'`;
  const later = await ask('another day', { new: true });
  await eventually(async () => expect(await messages(later)).toHaveLength(2));
});

it('says once that nobody is there, instead, and nothing of it while somebody is', async () => {
  await set({ greeting: 'Welcome', out_of_hours: 'We are closed.', assignment: NEVER });
  const { id, ask } = await visitor('Ada', 'anybody?');
  await eventually(async () =>
    expect(await messages(id)).toEqual(['customer: anybody?', 'system: We are closed.']),
  );
  await ask('hello?', { conversation_id: id });
  await ask('new one', { new: true });
  await settled();
  expect((await messages(id)).filter((line) => line.startsWith('system'))).toHaveLength(1);
  await gateway.pool`update automatic_answers set silent_until = now() - interval '1 second'`;
  await ask('the next evening', { conversation_id: id });
  await eventually(async () =>
    expect((await messages(id)).filter((line) => line.startsWith('system'))).toHaveLength(2),
  );

  await set({ assignment: ALWAYS });
  const open = await visitor('Bob', 'anybody?');
  await eventually(async () =>
    expect(await messages(open.id)).toEqual(['customer: anybody?', 'system: Welcome']),
  );
});

it('takes no rating for a question', async () => {
  await set({ csat: { is_enabled: true }, assignment: ALWAYS, out_of_hours: 'Back at nine.' });
  const { id, ask } = await visitor('Rita', 'Is it open?');
  await ok('POST', `/conversations/${id}/messages`, { content: 'It is.' });
  await ok('PUT', `/conversations/${id}/resolve`);
  const rated = async () =>
    (await ok<{ data: { score: number | null }[] }>('GET', `/conversations/${id}/csat`)).data;
  await eventually(async () => expect(await rated()).toHaveLength(1));
  await set({ assignment: NEVER });
  await ask('5', { conversation_id: id });
  await eventually(async () => expect(await rated()).toMatchObject([{ score: 5 }]));
  await settled();
  expect(await messages(id)).not.toContain('system: Back at nine.');
  await set({ csat: null });
});

it("takes the hours of the channel's team where it has none of its own", async () => {
  const { id: team_id } = await ok<{ id: string }>('POST', '/teams', {
    name: 'Nights',
    assignment: { mode: 'manual', working_hours: NEVER.working_hours },
  });
  await set({ out_of_hours: 'Closed', assignment: { mode: 'manual', team_id } });
  const { id } = await visitor('Ada', 'hello');
  await eventually(async () => expect(await messages(id)).toEqual(['customer: hello', 'system: Closed']));
});

it('answers no automatic mail, and a person once', async () => {
  const channel = await emailChannel(gateway, { address: 'support@shop.test' });
  await set({ greeting: 'Thanks, we read it.' }, channel.id);
  const from = (name: string) => `${name} <${name}@customer.test>`;
  await channel.post(mail({ from: from('robot'), headers: { 'Auto-Submitted': 'auto-replied' } }));
  await channel.post(mail({ from: from('list'), headers: { Precedence: 'bulk', 'List-Id': '<a.b.test>' } }));
  await channel.post(mail({ from: from('quiet'), headers: { 'X-Auto-Response-Suppress': 'All' } }));
  await channel.post(mail({ from: from('person'), subject: 'One' }));
  await channel.post(mail({ from: from('person'), subject: 'Two' }));
  await settled();
  await eventually(async () => {
    const answers = await gateway.pool<{ email: string; sender_type: string }[]>`
      select u.email, m.sender_type from messages m join customers u on u.id = m.customer_id
      where m.channel_id = ${channel.id} and m.direction = 'outbound'`;
    expect(answers).toEqual([{ email: 'person@customer.test', sender_type: 'system' }]);
  });
});

it('sets no rule going that would answer it, and none that it would answer', async () => {
  await set({ greeting: 'Welcome' });
  const { id: rule } = await ok<{ id: string }>('POST', '/automation-rules', {
    trigger: 'message.created',
    actions: [{ type: 'reply', message: 'I heard that' }],
  });
  const { id } = await visitor('Ada', 'hello');
  await eventually(async () =>
    expect(await messages(id)).toEqual(['customer: hello', 'system: Welcome', 'system: I heard that']),
  );
  await settled();
  expect(await messages(id)).toHaveLength(3);
  await gateway.call('DELETE', `/api/v1/automation-rules/${rule}`);
});
