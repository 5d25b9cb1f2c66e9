import { v7 } from 'uuid';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
afterEach(async () => {
  closeAll();
  const { data } = await ok<{ data: Rule[] }>('GET', '/automation-rules');
  for (const { id } of data) await gateway.call('DELETE', `/api/v1/automation-rules/${id}`);
});

interface Rule {
  id: string;
  is_active: boolean;
}

interface Run {
  subject_id: string;
  conversation_id: string;
  outcome: string;
  reason: string | null;
  actions: { type: string; outcome: string; reason: string | null }[];
}

interface Conversation {
  id: string;
  tags: string[];
  status: string;
  priority: string | null;
  assignee_id: string | null;
  needs_human_handoff: boolean;
  custom_attributes: Record<string, unknown>;
  customer: { id: string; custom_attributes: Record<string, unknown> };
  messages: {
    id: string;
    type: string;
    content: string;
    sender_type: string;
    metadata: Record<string, unknown>;
  }[];
}

async function ok<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await gateway.call<T>(method, `/api/v1${path}`, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

const rule = (fields: object) =>
  ok<Rule>('POST', '/automation-rules', {
    trigger: 'message.received',
    actions: [{ type: 'addTag', tag: 'x' }],
    ...fields,
  });
const runsOf = async ({ id }: Rule) =>
  (await ok<{ data: Run[] }>('GET', `/automation-rules/${id}/runs`)).data;
const conversation = (id: string) => ok<Conversation>('GET', `/conversations/${id}`);
const contents = async (id: string) => (await conversation(id)).messages.map(({ content }) => content);

/** A visitor who writes; `say` goes on. */
async function visitor(content: string, customer_data: object = {}) {
  const socket = await connect(gateway.url, { business_id: gateway.businessId });
  const first = await socket.ask('client_message', { content, customer_data });
  const id = first['conversation_id'] as string;
  return { id, say: (text: string) => socket.ask('client_message', { content: text, conversation_id: id }) };
}

/** Waits until rules have heard all that happened so far. */
async function settled(): Promise<void> {
  await untilRead(gateway.pool, 'automation');
}

describe('a rule', () => {
  it('does everything that it says, in order, and keeps a log of it', async () => {
    const all = await rule({
      name: 'Everything',
      conditions: [
        { field: 'message.content', operator: 'contains', value: 'REFUND' },
        { field: 'conversation.channel_type', operator: 'equals', value: 'webchat' },
        { field: 'visitor.email', operator: 'endsWith', value: '@example.com' },
      ],
      actions: [
        { type: 'assign', assigneeId: gateway.agentId },
        { type: 'addTag', tag: 'refund' },
        { type: 'addTag', tag: 'gone' },
        { type: 'removeTag', tag: 'gone' },
        { type: 'setPriority', priority: 'high' },
        { type: 'setAttribute', name: 'topic', value: 'refund' },
        { type: 'setVisitorAttribute', name: 'asked_for_refund', value: true },
        { type: 'reply', message: 'Hi {{visitor.name | there}}, about your {{conversation.topic}}.' },
        { type: 'note', message: 'Look at {{visitor.email}}' },
        { type: 'unassign' },
        { type: 'setStatus', status: 'pending' },
        { type: 'handoff', reason: 'refund' },
      ],
    });
    const { id } = await visitor('I want a refund', { name: 'Ada', email: 'ada@example.com' });
    await eventually(async () => expect(await runsOf(all)).toHaveLength(1));
    const [run] = await runsOf(all);
    expect(run).toMatchObject({ conversation_id: id, outcome: 'done', reason: null });
    expect(run?.actions.map(({ outcome }) => outcome)).toEqual(Array(12).fill('done'));
    const after = await conversation(id);
    expect(after).toMatchObject({
      assignee_id: null,
      tags: ['refund'],
      priority: 'high',
      status: 'pending',
      needs_human_handoff: true,
      custom_attributes: { topic: 'refund' },
      customer: { custom_attributes: { asked_for_refund: true } },
    });
    expect(after.messages.slice(1)).toMatchObject([
      {
        type: 'text',
        content: 'Hi Ada, about your refund.',
        sender_type: 'system',
        metadata: { caused_by: { rule: all.id } },
      },
      { type: 'note', content: 'Look at ada@example.com', sender_type: 'system' },
    ]);
    const snoozing = await rule({
      conditions: [{ field: 'message.content', operator: 'equals', value: 'later' }],
      actions: [{ type: 'snooze', minutes: 5 }],
    });
    const other = await visitor('later');
    await eventually(async () => expect((await conversation(other.id)).status).toBe('snoozed'));
    expect(await runsOf(snoozing)).toHaveLength(1);
    expect(await runsOf(all)).toHaveLength(1);
  });

  it('judges by every operator', async () => {
    // As Turkish, Greek, German, a mail program that breaks lines and a Japanese keyboard write.
    const MANY_SCRIPTS = 'İADE kapı οδοσα Hauptstraße\u00a05 “ｒｅ\u00adｆｕｎｄ”\r\nfine';
    const holding = [
      ['visitor.plan', 'equals', 'pro'],
      ['customer.seats', 'equals', '3'],
      ['visitor.plan', 'notEquals', 'free'],
      ['visitor.unknown', 'notEquals', 'free'],
      ['visitor.name', 'contains', 'LOVE'],
      ['visitor.name', 'notContains', '.*'],
      ['visitor.name', 'startsWith', 'ada'],
      ['visitor.motto', 'contains', "can't"],
      ['visitor.motto', 'endsWith', 'CAFE\u0301'],
      ['visitor.motto', 'startsWith', 'i can’t\nleave  the'],
      ['visitor.city', 'contains', 'iade'],
      ['visitor.city', 'contains', 'KAPI'],
      ['visitor.city', 'contains', 'ΟΔΟΣ'],
      ['visitor.city', 'contains', 'hauptstrasse 5'],
      ['visitor.city', 'contains', '"refund" fine'],
      ['visitor.custom_attributes.plan', 'equals', 'pro'],
      ['customer.customAttributes.plan', 'equals', 'pro'],
      ['conversation.customAttributes.order', 'equals', 7],
      ['visitor.name', 'in', ['Ada Lovelace', 'Bob']],
      ['visitor.plan', 'notIn', ['free']],
      ['visitor.seats', 'greaterThan', 2],
      ['visitor.seats', 'lessThan', '3.5'],
      ['visitor.email', 'exists'],
      ['visitor.phone', 'notExists'],
      ['conversation.tags', 'contains', 'VIP'],
      ['conversation.tags', 'equals', 'vip'],
      ['conversation.tags', 'notEquals', null],
      ['conversation.needsHumanHandoff', 'equals', false],
      ['conversation.custom_attributes.order', 'equals', 7],
    ];
    const failing = [
      ['visitor.plan', 'equals', 'Pro'],
      ['visitor.unknown', 'contains', 'x'],
      ['visitor.name', 'contains', 'A.*e'],
      ['visitor.plan', 'greaterThan', 1],
      ['visitor.constructor', 'exists'],
      ['conversation.tags', 'equals', null],
    ];
    const customer = await ok<{ id: string }>('POST', '/customers', {
      name: 'Ada Lovelace',
      email: 'lovelace@example.com',
      custom_attributes: { plan: 'pro', seats: 3, motto: 'I can’t leave the café', city: MANY_SCRIPTS },
    });
    const { id } = await ok<Conversation>('POST', '/conversations', {
      business_id: gateway.businessId,
      customer_id: customer.id,
    });
    await ok('POST', `/conversations/${id}/tags`, { tags: ['vip'] });
    await ok('PATCH', `/conversations/${id}`, { custom_attributes: { order: 7 } });
    for (const [conditions, expected] of [
      [holding, true],
      [failing, false],
    ] as const) {
      const { id: ruleId } = await rule({
        trigger: 'conversation.updated',
        conditions: conditions.map(([field, operator, value]) => ({ field, operator, value })),
        is_active: false,
      });
      const { occasions } = await ok<{
        occasions: { conditions: { field: string; operator: string; holds: boolean }[] }[];
      }>('POST', `/automation-rules/${ruleId}/dry-run`, { conversation_id: id });
      for (const one of occasions[0]?.conditions ?? [])
        expect([one.field, one.operator, one.holds]).toEqual([one.field, one.operator, expected]);
      expect(occasions[0]?.conditions).toHaveLength(conditions.length);
    }
    const untagged = await rule({
      trigger: 'conversation.updated',
      conditions: [{ field: 'conversation.tags', operator: 'equals', value: null }],
      is_active: false,
    });
    const { id: plain } = await ok<Conversation>('POST', '/conversations', {
      business_id: gateway.businessId,
    });
    expect(
      await ok('POST', `/automation-rules/${untagged.id}/dry-run`, { conversation_id: plain }),
    ).toMatchObject({ would_run: true });
  });

  it('is heard from the customer and about the customer, and of what somebody does', async () => {
    const known = await rule({
      trigger: 'customer.updated',
      conditions: [{ field: 'visitor.plan', operator: 'equals', value: 'enterprise' }],
    });
    const tagged = await rule({
      trigger: 'conversation.tags_changed',
      conditions: [{ field: 'conversation.tags', operator: 'contains', value: 'x' }],
      actions: [{ type: 'setPriority', priority: 'urgent' }],
    });
    const { id } = await visitor('hello');
    const { customer } = await conversation(id);
    await ok('PATCH', `/customers/${customer.id}`, { custom_attributes: { plan: 'enterprise' } });
    await eventually(async () =>
      expect(await conversation(id)).toMatchObject({ tags: ['x'], priority: 'urgent' }),
    );
    expect((await runsOf(known))[0]?.conversation_id).toBe(id);
    expect(await runsOf(tagged)).toHaveLength(1);
    const lonely = await ok<{ id: string }>('POST', '/customers', { name: 'Nobody' });
    await ok('PATCH', `/customers/${lonely.id}`, { custom_attributes: { plan: 'enterprise' } });
    await eventually(async () =>
      expect((await runsOf(known))[0]).toMatchObject({
        outcome: 'skipped',
        reason: expect.stringContaining('no conversation'),
      }),
    );
    await rule({ trigger: 'customer.merged', actions: [{ type: 'addTag', tag: 'merged' }] });
    await ok('POST', `/customers/${customer.id}/merge`, { from: lonely.id });
    await eventually(async () => expect((await conversation(id)).tags).toEqual(['x', 'merged']));
  });

  it('is heard when a message is taken back', async () => {
    const secret = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
    const { id: channel } = await ok<{ id: string }>('POST', '/channels', {
      type: 'api',
      name: 'App',
      config: { callback_url: 'http://127.0.0.1:8091/', secret },
    });
    const post = (body: object) =>
      gateway.call<{ data: { conversation_id: string }[] }>('POST', `/webhooks/api/${channel}`, body, {
        key: secret,
      });
    await rule({ trigger: 'message.deleted', actions: [{ type: 'addTag', tag: 'taken back' }] });
    const { body } = await post({ external_id: 'm1', sender: { external_id: 'p1' }, content: 'Oops' });
    await post({ type: 'delete', external_id: 'm1' });
    const id = body.data[0]?.conversation_id ?? '';
    await eventually(async () => expect((await conversation(id)).tags).toEqual(['taken back']));
  });

  it('hears nothing of before, nothing while it is off, and is stopped by one before it', async () => {
    const before = await visitor('one');
    await settled();
    const off = await rule({ is_active: false, actions: [{ type: 'addTag', tag: 'off' }] });
    const first = await rule({
      actions: [{ type: 'addTag', tag: 'first' }, { type: 'stop' }],
      conditions: [{ field: 'message.content', operator: 'equals', value: 'two' }],
    });
    const second = await rule({ actions: [{ type: 'addTag', tag: 'second' }] });
    await before.say('two');
    await before.say('three');
    await eventually(async () => expect((await conversation(before.id)).tags).toEqual(['first', 'second']));
    await settled();
    const counts = await Promise.all([off, first, second].map(async (one) => (await runsOf(one)).length));
    expect(counts).toEqual([0, 1, 1]);
    await ok('PATCH', `/automation-rules/${off.id}`, { is_active: true });
    await before.say('four');
    await eventually(async () => expect(await runsOf(off)).toHaveLength(1));
  });

  it('leaves standing what it could do when one action is refused, and says why', async () => {
    const invited = await ok<{ id: string }>('POST', '/team/invite', {
      email: 'leaver@example.com',
      name: 'Leaver',
      role: 'agent',
    });
    const leaving = await rule({
      actions: [
        { type: 'addTag', tag: 'a' },
        { type: 'assign', assigneeId: invited.id },
        { type: 'reply', message: '{{visitor.phone}}' },
        { type: 'addTag', tag: 'b' },
      ],
    });
    await gateway.call('DELETE', `/api/v1/team/members/${invited.id}`);
    const { id } = await visitor('hello');
    await eventually(async () => expect(await runsOf(leaving)).toHaveLength(1));
    const [run] = await runsOf(leaving);
    expect(run?.outcome).toBe('failed');
    expect(run?.actions.map(({ outcome }) => outcome)).toEqual(['done', 'failed', 'failed', 'done']);
    expect(run?.actions[1]?.reason).toContain('not an active agent');
    expect((await conversation(id)).tags).toEqual(['a', 'b']);
  });
});

it('answers no mail that a program wrote, and does the rest', async () => {
  const channel = await emailChannel(gateway, { address: 'rules@shop.test' });
  const replying = await rule({
    actions: [
      { type: 'reply', message: 'Thanks' },
      { type: 'addTag', tag: 'mail' },
    ],
  });
  await channel.post(mail({ from: 'robot@customer.test', headers: { 'Auto-Submitted': 'auto-replied' } }));
  await eventually(async () => expect(await runsOf(replying)).toHaveLength(1));
  const [run] = await runsOf(replying);
  expect(run?.actions).toMatchObject([
    { type: 'reply', outcome: 'failed', reason: expect.stringContaining('a program wrote') },
    { type: 'addTag', outcome: 'done' },
  ]);
  expect(await conversation(run?.conversation_id ?? '')).toMatchObject({ tags: ['mail'], messages: [{}] });
});

it('does nothing for whoever was erased', async () => {
  const { id } = await visitor('hello', { name: 'Ada' });
  const { customer } = await conversation(id);
  await settled();
  const closing = await rule({
    trigger: 'conversation.closed',
    actions: [{ type: 'reply', message: 'Bye' }],
  });
  await gateway.call('DELETE', `/api/v1/customers/${customer.id}`);
  expect(await conversation(id)).toMatchObject({ status: 'closed' });
  const other = await visitor('hello');
  await ok('PUT', `/conversations/${other.id}/close`);
  await eventually(async () => expect(await runsOf(closing)).toHaveLength(1));
  expect(await runsOf(closing)).toMatchObject([{ conversation_id: other.id }]);
});

describe('loops', () => {
  it('cannot come of a rule that answers its own answers', async () => {
    const answering = [];
    for (const trigger of [
      'message.created',
      'message.sent',
      'conversation.updated',
      'conversation.status_changed',
    ])
      answering.push(
        await rule({
          trigger,
          actions: [
            { type: 'reply', message: trigger },
            { type: 'setAttribute', name: 'n', value: Math.random() },
          ],
        }),
      );
    const { id } = await visitor('hello');
    await ok('POST', `/conversations/${id}/messages`, { content: 'Hello' });
    await eventually(async () =>
      expect(await contents(id)).toEqual(expect.arrayContaining(['message.created', 'message.sent'])),
    );
    let count = -1;
    await eventually(async () => {
      await settled();
      const before = count;
      count = (await contents(id)).length;
      expect(count).toBe(before);
    });
    expect(count).toBeLessThan(30);
    const reasons = (await Promise.all(answering.map(runsOf))).flat().flatMap(({ reason }) => reason ?? []);
    expect(reasons).toContain('The rule itself has led to it.');
  });

  it('cannot come of rules that set one another going', async () => {
    const trigger = 'conversation.tags_changed';
    const chain: Rule[] = [];
    for (let n = 0; n < 5; n += 1)
      chain.push(
        await rule({
          trigger,
          conditions: [
            { field: 'conversation.tags', operator: 'contains', value: `t${n}` },
            { field: 'conversation.tags', operator: 'notContains', value: `t${n + 1}` },
          ],
          actions: [{ type: 'addTag', tag: `t${n + 1}` }],
        }),
      );
    const { id } = await visitor('hello');
    await ok('POST', `/conversations/${id}/tags`, { tags: ['t0'] });
    await eventually(async () =>
      expect((await runsOf(chain[3] as Rule))[0]?.reason).toContain('3 rules in a row'),
    );
    expect((await conversation(id)).tags).toEqual(['t0', 't1', 't2', 't3']);
    const events = await gateway.pool<{ caused_by: { depth: number } }[]>`
      select caused_by from events where conversation_id = ${id} and type = ${trigger} order by seq`;
    expect(events.map(({ caused_by }) => caused_by?.depth ?? 0)).toEqual([0, 1, 2, 3]);
  });

  it('through the outside are broken by their speed', async () => {
    const replying = await rule({ actions: [{ type: 'reply', message: 'I am a robot' }] });
    const { id, say } = await visitor('I am a robot too 0');
    for (let n = 1; n < 25; n += 1) await say(`I am a robot too ${n}`);
    await eventually(async () => expect(await runsOf(replying)).toHaveLength(25));
    const runs = await runsOf(replying);
    expect(runs.filter(({ outcome }) => outcome === 'done')).toHaveLength(20);
    expect(runs[0]).toMatchObject({ outcome: 'skipped', reason: expect.stringContaining('within an hour') });
    expect((await contents(id)).filter((text) => text === 'I am a robot')).toHaveLength(20);
  });

  it('through the outside are broken by their speed, in a new conversation each time', async () => {
    const parting = await rule({
      actions: [
        { type: 'reply', message: 'Bye' },
        { type: 'setStatus', status: 'closed' },
      ],
    });
    const socket = await connect(gateway.url, { business_id: gateway.businessId });
    const ids = new Set<unknown>();
    for (let n = 0; n < 26; n += 1) {
      const { conversation_id } = await socket.ask('client_message', { content: `robot ${n}`, new: true });
      ids.add(conversation_id);
    }
    await eventually(async () => expect(await runsOf(parting)).toHaveLength(26));
    expect(ids.size).toBe(26);
    const skipped = (await runsOf(parting)).filter(({ outcome }) => outcome === 'skipped');
    // Of the four that are worked on at once none sees the others yet.
    expect(skipped.length).toBeGreaterThanOrEqual(3);
    expect(skipped[0]?.reason).toContain('20 times for this customer');
  });

  it('through the outside are broken by their speed, of a customer too', async () => {
    const tagging = await rule({ trigger: 'customer.updated' });
    const { id } = await visitor('hello');
    const { customer } = await conversation(id);
    for (let n = 0; n < 25; n += 1)
      await ok('PATCH', `/customers/${customer.id}`, { custom_attributes: { n } });
    await eventually(async () => expect(await runsOf(tagging)).toHaveLength(25));
    expect((await runsOf(tagging)).filter(({ outcome }) => outcome === 'done')).toHaveLength(20);
  });
});

describe('time', () => {
  const MINUTE_MS = 60_000;

  /** As if what was written in the conversations had been so long ago, and the rules been there before it. */
  async function age(ids: string[], minutes: number): Promise<void> {
    const { pool } = gateway;
    const messages = await pool<{ id: string; created_at: Date }[]>`
      select id, created_at from messages where conversation_id = any(${ids}) and direction <> 'outbound'`;
    for (const one of messages) {
      const at = new Date(one.created_at.getTime() - minutes * MINUTE_MS);
      await pool`update messages set id = ${v7({ msecs: at.getTime() })}, created_at = ${at} where id = ${one.id}`;
    }
    const before = pool`make_interval(mins => ${minutes + 1})`;
    await pool`update automation_rules set active_since = active_since - ${before}, checked_at = checked_at - ${before}`;
  }

  it('runs a rule once for whoever waits for an answer, and again for the next who waits', async () => {
    const waiting = await rule({
      trigger: 'conversation.unanswered',
      after_minutes: 120,
      conditions: [{ field: 'message.content', operator: 'contains', value: 'first' }],
      actions: [{ type: 'addTag', tag: 'late' }],
    });
    const late = await visitor('first question');
    await late.say('second question');
    const planned = { content: 'No answer yet', send_at: '2999-01-01T00:00:00Z' };
    await ok('POST', `/conversations/${late.id}/messages`, planned);
    const answered = await visitor('first of another');
    await ok('POST', `/conversations/${answered.id}/messages`, { content: 'An answer' });
    const resolved = await visitor('first and last');
    await ok('PUT', `/conversations/${resolved.id}/resolve`);
    await age([late.id, answered.id, resolved.id], 121);
    await eventually(async () => expect((await conversation(late.id)).tags).toEqual(['late']));
    expect(await runsOf(waiting)).toMatchObject([
      { conversation_id: late.id, outcome: 'done', reason: null },
    ]);
    expect((await runsOf(waiting))[0]?.subject_id).toBe((await conversation(late.id)).messages[0]?.id);

    await ok('POST', `/conversations/${late.id}/messages`, { content: 'Sorry' });
    await late.say('first of all, no');
    await age([late.id], 121);
    await eventually(async () => expect(await runsOf(waiting)).toHaveLength(2));
  });

  it('runs a rule for a question that is asked after the last was resolved, or that slept meanwhile', async () => {
    const waiting = await rule({
      trigger: 'conversation.unanswered',
      after_minutes: 120,
      conditions: [{ field: 'message.content', operator: 'contains', value: 'now' }],
      actions: [{ type: 'addTag', tag: 'late' }],
    });
    const again = await visitor('solved by phone');
    await ok('PUT', `/conversations/${again.id}/resolve`);
    await again.say('and now?');
    const slept = await visitor('what now?');
    await ok('POST', `/conversations/${slept.id}/snooze`, { until: new Date().toISOString() });
    await eventually(async () => expect((await conversation(slept.id)).status).toBe('open'));
    const failed = await visitor('now fails');
    const { id } = await ok<{ id: string }>('POST', `/conversations/${failed.id}/messages`, {
      content: 'An answer',
    });
    await eventually(async () => {
      const { count } = await gateway.pool`
        update messages set status = 'failed' where id = ${id} and status = 'delivered'`;
      expect(count).toBe(1);
    });
    const byAi = await visitor('now the AI answers');
    const answer = await ok<{ id: string }>('POST', `/conversations/${byAi.id}/messages`, { content: 'Yes' });
    await gateway.pool`
      update messages set sender_type = 'system', metadata = '{"ai": {"confidence": 1}}' where id = ${answer.id}`;
    await age([again.id, slept.id, failed.id, byAi.id], 121);
    await eventually(async () => expect(await runsOf(waiting)).toHaveLength(3));
    const ids = (await runsOf(waiting)).map((run) => run.conversation_id);
    expect(ids.sort()).toEqual([again.id, slept.id, failed.id].sort());
  });

  it('gets past any number that began at once', async () => {
    const hours = 10;
    const old = await rule({
      trigger: 'conversation.unassigned_for',
      after_minutes: hours * 60,
      conditions: [{ field: 'conversation.subject', operator: 'equals', value: 'the last of many' }],
    });
    const began = Date.now() - (hours * 60 + 5) * MINUTE_MS;
    const many = Array.from({ length: 600 }, (_, n) => ({
      id: v7({ msecs: began + n * 10 }),
      business_id: gateway.businessId,
      channel_id: gateway.channelId,
      channel_type: 'webchat',
      subject: n === 599 ? 'the last of many' : 'one of many',
    }));
    await gateway.pool`insert into conversations ${gateway.pool(many)}`;
    await age([], hours * 60);
    await eventually(async () => expect(await runsOf(old)).toHaveLength(1));
  });

  it('sets no rule going for what it has led to itself', async () => {
    const giving = await rule({
      trigger: 'conversation.unassigned_for',
      after_minutes: 30,
      actions: [{ type: 'assign', assigneeId: gateway.agentId }],
    });
    const taking = await rule({ trigger: 'conversation.assigned', actions: [{ type: 'unassign' }] });
    const { id } = await visitor('a hot potato');
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: gateway.agentId });
    await eventually(async () => expect((await conversation(id)).assignee_id).toBeNull());
    await age([id], 31);
    await eventually(async () => expect(await runsOf(taking)).toHaveLength(2));
    expect((await runsOf(taking))[0]).toMatchObject({
      outcome: 'skipped',
      reason: 'The rule itself has led to it.',
    });
    expect(await runsOf(giving)).toHaveLength(1);
    expect((await conversation(id)).assignee_id).toBe(gateway.agentId);
  });

  it('wakes what a rule has put off without setting it going again', async () => {
    const later = await rule({
      trigger: 'conversation.unsnoozed',
      actions: [{ type: 'snooze', minutes: 5 }],
    });
    const { id } = await visitor('not now');
    await ok('POST', `/conversations/${id}/snooze`, { until: new Date().toISOString() });
    await eventually(async () => expect((await conversation(id)).status).toBe('snoozed'));
    await gateway.pool`update conversations set snoozed_until = now() where id = ${id}`;
    await eventually(async () =>
      expect(await runsOf(later)).toMatchObject([
        { outcome: 'skipped', reason: 'The rule itself has led to it.' },
        { outcome: 'done' },
      ]),
    );
    expect((await conversation(id)).status).toBe('open');
  });

  it('runs a rule once for what nobody has had for so long', async () => {
    const lonely = await rule({
      trigger: 'conversation.unassigned_for',
      after_minutes: 30,
      actions: [{ type: 'handoff', reason: 'nobody' }],
    });
    const taken = await visitor('taken');
    await ok('POST', `/conversations/${taken.id}/assign`, { assignee_id: gateway.agentId });
    const left = await visitor('left');
    await ok('POST', `/conversations/${left.id}/assign`, { assignee_id: gateway.agentId });
    await ok('POST', `/conversations/${left.id}/assign`, { assignee_id: null });
    const began = new Date(Date.now() - 31 * MINUTE_MS);
    const [untouched, pending] = [v7({ msecs: began.getTime() }), v7({ msecs: began.getTime() })];
    await gateway.pool`
      insert into conversations (id, business_id, channel_id, channel_type, status, created_at)
      values (${untouched}, ${gateway.businessId}, ${gateway.channelId}, 'webchat', 'open', ${began}),
        (${pending}, ${gateway.businessId}, ${gateway.channelId}, 'webchat', 'pending', ${began})`;
    await ok('PUT', `/conversations/${pending}/reopen`);
    const passedOn = await visitor('passed on');
    await ok('POST', `/conversations/${passedOn.id}/assign`, { assignee_id: gateway.agentId });
    const team = await ok<{ id: string }>('POST', '/teams', { name: 'Nobody there' });
    await ok('POST', `/conversations/${passedOn.id}/assign`, { assignee_id: team.id });
    const fresh = await visitor('fresh');
    await age([taken.id, left.id, passedOn.id], 31);
    for (const id of [left.id, untouched, pending, passedOn.id])
      await eventually(async () => expect((await conversation(id)).needs_human_handoff).toBe(true));
    expect(await runsOf(lonely)).toHaveLength(4);
    expect((await conversation(taken.id)).needs_human_handoff).toBe(false);
    for (const [id, would_run] of [
      [left.id, true],
      [untouched, true],
      [pending, true],
      [passedOn.id, true],
      [taken.id, false],
      [fresh.id, false],
    ] as const) {
      const trial = await ok('POST', `/automation-rules/${lonely.id}/dry-run`, { conversation_id: id });
      expect(trial).toMatchObject({ would_run });
    }
  });
});

it('is tried on a past conversation without doing anything', async () => {
  const { id, say } = await visitor('What does it cost?');
  await say('I want a REFUND');
  const trying = await rule({
    is_active: false,
    conditions: [{ field: 'message.content', operator: 'contains', value: 'refund' }],
  });
  const { would_run, occasions } = await ok<{
    would_run: boolean;
    occasions: { would_run: boolean; conditions: object[] }[];
  }>('POST', `/automation-rules/${trying.id}/dry-run`, { conversation_id: id });
  expect([would_run, ...occasions.map((one) => one.would_run)]).toEqual([true, false, true]);
  expect(occasions[0]?.conditions).toEqual([
    {
      field: 'message.content',
      operator: 'contains',
      value: 'refund',
      actual: 'What does it cost?',
      holds: false,
    },
  ]);
  expect((await conversation(id)).tags).toEqual([]);
  expect(await runsOf(trying)).toEqual([]);
});

it('is tried on what happened to each message only', async () => {
  const { id, say } = await visitor('How much is it now?');
  await ok('POST', `/conversations/${id}/messages`, { content: 'Nothing' });
  await say('And now?');
  await gateway.pool`
    update messages set created_at = created_at - interval '3 hours'
    where conversation_id = ${id} and content = 'How much is it now?'`;
  const tried = async (fields: object) => {
    const trying = await rule({ is_active: false, ...fields });
    const answer = await ok<{ occasions: { would_run: boolean; conditions: { actual: unknown }[] }[] }>(
      'POST',
      `/automation-rules/${trying.id}/dry-run`,
      { conversation_id: id },
    );
    return answer.occasions.map(({ would_run, conditions }) => [would_run, conditions[0]?.actual]);
  };
  const conditions = [{ field: 'message.content', operator: 'contains', value: 'now' }];
  expect(await tried({ trigger: 'message.created', conditions })).toEqual([[false, 'Nothing']]);
  expect(await tried({ trigger: 'message.failed', conditions })).toEqual([]);
  expect(await tried({ trigger: 'conversation.unanswered', after_minutes: 120, conditions })).toEqual([
    [true, 'How much is it now?'],
  ]);
});

describe('what is wrong', () => {
  async function refused(fields: object) {
    const body = { trigger: 'message.received', actions: [{ type: 'addTag', tag: 'x' }], ...fields };
    const { status, body: answer } = await gateway.call<{
      error: { details: { field: string; message: string }[] };
    }>('POST', '/api/v1/automation-rules', body);
    const [detail] = answer.error.details;
    return [status, detail?.field, detail?.message];
  }
  const condition = (field: string, operator: string, value?: unknown) => ({
    conditions: [{ field, operator, value }],
  });
  const action = (one: object) => ({ actions: [{ type: 'addTag', tag: 'x' }, one] });

  it('is refused by name: a trigger, field, operator, action, agent, team or variable that is none', async () => {
    const foreign = '01900000-0000-7000-8000-000000000000';
    const cases: [object, string, string][] = [
      [{ trigger: 'message.exploded' }, 'trigger', 'message.exploded'],
      [condition('message.contents', 'equals', 'x'), 'conditions.0.field', 'message.contents'],
      [condition('weather', 'equals', 'x'), 'conditions.0.field', 'weather'],
      [condition('constructor', 'equals', 'x'), 'conditions.0.field', 'constructor'],
      [condition('message.content', 'matches', '(a+)+$'), 'conditions.0.operator', 'matches'],
      [condition('message.content', 'constructor', 'x'), 'conditions.0.operator', 'constructor'],
      [condition('message.content', 'equals'), 'conditions.0.value', 'one value'],
      [condition('visitor.seats', 'greaterThan', 'many'), 'conditions.0.value', 'number'],
      [condition('visitor.seats', 'greaterThan', ' '), 'conditions.0.value', 'number'],
      [condition('visitor.seats', 'in', 'x'), 'conditions.0.value', 'list'],
      [condition('visitor.seats', 'notIn', []), 'conditions.0.value', 'list'],
      [condition('visitor.plan', 'contains', ''), 'conditions.0.value', 'text'],
      [condition('visitor.plan', 'startsWith', null), 'conditions.0.value', 'text'],
      [condition('visitor.seats', 'exists', 'x'), 'conditions.0.value', 'without'],
      [action({ type: 'explode' }), 'actions.1.type', 'explode'],
      [action({ type: 'addTag' }), 'actions.1.tag', ''],
      [action({ type: 'addTag', tag: 'x', extra: 1 }), 'actions.1.extra', ''],
      [action({ type: 'assign', assigneeId: foreign }), 'actions.1.assigneeId', 'of your business'],
      [action({ type: 'assign', assigneeId: 'priority-team-id' }), 'actions.1.assigneeId', 'id'],
      [action({ type: 'reply', message: '{{visitor.name' }), 'actions.1.message', 'variable'],
      [action({ type: 'reply', message: '{{visitor.name}}'.repeat(51) }), 'actions.1.message', '50'],
      [action({ type: 'note', message: '{{weather.now}}' }), 'actions.1.message', 'weather.now'],
      [
        { trigger: 'conversation.created', ...condition('message.content', 'equals', 'x') },
        'conditions.0.field',
        'message.content',
      ],
      [
        { trigger: 'customer.updated', ...condition('conversation.tags', 'exists') },
        'conditions.0.field',
        'conversation.tags',
      ],
      [{ actions: [] }, 'actions', ''],
      [{ trigger: 'conversation.unanswered' }, 'after_minutes', 'needed'],
      [{ after_minutes: 5 }, 'after_minutes', 'time triggers'],
    ];
    for (const [fields, field, message] of cases)
      expect([fields, ...(await refused(fields))]).toEqual([
        fields,
        422,
        field,
        expect.stringContaining(message),
      ]);
  });

  it('is never taken for what it was before, however fast it is changed', async () => {
    const { id } = await rule({ is_active: false });
    const changes = Array.from({ length: 10 }, (_, n) =>
      ok<{ updated_at: string }>('PATCH', `/automation-rules/${id}`, { name: `${n}` }),
    );
    const times = (await Promise.all(changes)).map(({ updated_at }) => updated_at);
    expect(new Set(times).size).toBe(10);
  });

  it('is refused in a change too, and changes nothing', async () => {
    const made = await rule({});
    const answer = await gateway.call('PATCH', `/api/v1/automation-rules/${made.id}`, {
      trigger: 'conversation.unanswered',
    });
    expect(answer.status).toBe(422);
    expect(await ok('GET', `/automation-rules/${made.id}`)).toEqual(made);
  });

  it('is told apart by the vocabulary, whose every word may be used', async () => {
    const words = await ok<Record<string, Record<string, string>>>('GET', '/automation-rules/vocabulary');
    expect(Object.keys(words)).toEqual(['triggers', 'fields', 'operators', 'actions']);
    for (const lines of Object.values(words))
      for (const line of Object.values(lines)) expect(line).toMatch(/\S/);
    const blank = await rule({ actions: [{ type: 'handoff', reason: ' ' }] });
    const { id } = await visitor('a person, please');
    await eventually(async () => expect(await runsOf(blank)).toHaveLength(1));
    expect(await conversation(id)).toMatchObject({ needs_human_handoff: true, handoff_reason: null });
    for (const field of Object.keys(words['fields'] ?? {}))
      await rule({ conditions: [{ field, operator: 'exists' }], is_active: false });
  });
});
