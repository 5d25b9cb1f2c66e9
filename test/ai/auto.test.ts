import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../support/gateway.ts';
import { type Conversation, type Scene, startScene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
}, 60_000);
afterAll(() => scene.stop());
beforeEach(async () => {
  await scene.setHook({ mode: 'auto', threshold: 0.8, timeout_seconds: 20 });
  scene.hook.answer({ reply: 'It is on its way.', confidence: 0.9 });
});

const sure = (reply: string) => ({ reply, confidence: 0.95 });
const unsure = (handoff_reason: string) => ({ reply: 'Perhaps…', confidence: 0.4, handoff_reason });

/** Another message of the same person. */
function goOn(n: number) {
  return { sender: { external_id: `known-${n}`, name: 'Ada' } };
}

async function flagged(id: string): Promise<Conversation> {
  return eventually(async () => {
    const conversation = await scene.conversation(id);
    expect(conversation.needs_human_handoff).toBe(true);
    return conversation;
  });
}

describe('an answer that is sure enough', () => {
  it('is sent as system, and is no first response of the team', async () => {
    const id = await scene.say('Where is my order?');
    await eventually(() => expect(scene.sent(id)).toEqual(['It is on its way.']));
    const { messages, first_response_at, needs_human_handoff } = await scene.conversation(id);
    expect(messages).toMatchObject([
      { sender_type: 'customer' },
      { sender_type: 'system', content: 'It is on its way.', metadata: { ai: { confidence: 0.9 } } },
    ]);
    expect([first_response_at, needs_human_handoff]).toEqual([null, false]);
    const [question] = scene.hook.of(id);
    expect(question).toMatchObject({
      type: 'ai.reply_requested',
      mode: 'auto',
      threshold: 0.8,
      business_id: scene.gateway.businessId,
      data: { conversation: { id }, messages: [{ sender_type: 'customer', content: 'Where is my order?' }] },
    });
    expect(scene.hook.forged).toBe(0);
  });

  it('is sent at exactly the threshold', async () => {
    scene.hook.answer({ reply: 'Just so.', confidence: 0.8 });
    const id = await scene.say('Hm?');
    await eventually(() => expect(scene.sent(id)).toEqual(['Just so.']));
  });

  it('may be long, in any script', async () => {
    const long = '好'.repeat(9_000);
    scene.hook.answer(sure(long));
    const id = await scene.say('Tell me all.');
    await eventually(() => expect(scene.sent(id)).toEqual([long]));
  });

  it('asks for a person all the same when it says so, and its words stay with the agents', async () => {
    scene.hook.answer({
      reply: 'I fetch somebody.',
      confidence: 1,
      needs_handoff: true,
      handoff_reason: 'user_requested',
    });
    const id = await scene.say('A human, please.');
    expect(await flagged(id)).toMatchObject({ handoff_reason: 'user_requested' });
    expect(scene.sent(id)).toEqual([]);
  });

  it('may be that nothing is to be said', async () => {
    const empty = await scene.say('Thanks!');
    scene.hook.answer({ reply: null, needs_handoff: false }, empty);
    scene.hook.answer((response) => response.writeHead(204).end());
    const id = await scene.say('Thanks!');
    await eventually(async () => expect(await scene.turns(id)).toEqual(['silent']));
    expect(scene.sent(id)).toEqual([]);
    expect(await scene.conversation(id)).toMatchObject({ needs_human_handoff: false });
  });
});

describe('an answer that is not', () => {
  it('flags the conversation with its reason, stores a system notice and puts it on the list', async () => {
    scene.hook.answer(unsure('complex_issue'));
    const id = await scene.say('My order fell into a black hole.');
    const { handoff_reason, messages } = await flagged(id);
    expect(handoff_reason).toBe('complex_issue');
    expect(messages.slice(1)).toMatchObject([
      {
        sender_type: 'system',
        type: 'note',
        direction: 'internal',
        content: expect.stringContaining('complex_issue (40 % sure)'),
      },
    ]);
    expect(await scene.pending()).toContain(id);
    expect(scene.sent(id)).toEqual([]);
    const { data } = await scene.ok<{ data: object[] }>('GET', `/conversations/${id}/drafts`);
    expect(data).toMatchObject([{ content: 'Perhaps…', confidence: 0.4, state: 'drafted' }]);
  });

  it('gives its reason alone where nothing was to be sure of, and takes null for what is not said', async () => {
    scene.hook.answer((response) =>
      response.end(
        '\ufeff{"reply": null, "confidence": null, "needs_handoff": true, "handoff_reason": "user_requested"}',
      ),
    );
    const { handoff_reason, messages } = await flagged(await scene.say('A person, please.'));
    expect(handoff_reason).toBe('user_requested');
    expect(messages.at(-1)?.content).toBe('The AI hands over to a person: user_requested.');
    scene.hook.answer({ ...sure('Here I am.'), needs_handoff: null, handoff_reason: null });
    const id = await scene.say('Anybody?');
    await eventually(() => expect(scene.sent(id)).toEqual(['Here I am.']));
  });

  it('is answered on by the AI until an agent writes, who ends the flag and silences it', async () => {
    const person = goOn(1);
    scene.hook.answer(unsure('complex_issue'));
    const id = await scene.say('One', person);
    await flagged(id);
    scene.hook.answer(sure('Now I know.'));
    await scene.say('Two', { ...person, external_id: 'two' });
    await eventually(() => expect(scene.sent(id)).toEqual(['Now I know.']));
    expect(await scene.pending()).toContain(id);
    await scene.ok('POST', `/conversations/${id}/messages`, { content: 'I am Grace.' });
    expect(await scene.pending()).not.toContain(id);
    expect(await scene.conversation(id)).toMatchObject({ needs_human_handoff: false, handoff_reason: null });
    await scene.say('Three', { ...person, external_id: 'three' });
    await eventually(async () => expect((await scene.turns(id)).at(-1)).toBe('silent'));
    expect(scene.hook.of(id)).toHaveLength(2);
  });

  it('is taken off the list when it is assigned, and the AI says nothing more until it is given back', async () => {
    const person = goOn(2);
    scene.hook.answer(unsure('complex_issue'));
    const id = await scene.say('One', person);
    await flagged(id);
    await scene.ok('PUT', `/conversations/${id}/assign/${scene.gateway.agentId}`);
    expect(await scene.pending()).not.toContain(id);
    await scene.say('Two', { ...person, external_id: 'p2-two' });
    await eventually(async () => expect((await scene.turns(id)).at(-1)).toBe('silent'));
    await scene.ok('POST', `/conversations/${id}/messages`, { content: 'I look into it.' });
    scene.hook.answer(sure('Back again.'));
    expect(await scene.ok('DELETE', `/conversations/${id}/handoff`)).toMatchObject({ assignee_id: null });
    const again = await scene.ok<Conversation>('DELETE', `/conversations/${id}/handoff`);
    await scene.say('Three', { ...person, external_id: 'p2-three' });
    await eventually(() => expect(scene.sent(id)).toEqual(['I look into it.', 'Back again.']));
    expect(again.needs_human_handoff).toBe(false);
  });

  it('is answered on while a team has it of which nobody is there, and stays on the list', async () => {
    const person = goOn(40);
    scene.hook.answer(unsure('complex_issue'));
    const id = await scene.say('One', person);
    await flagged(id);
    const team = await scene.ok<{ id: string }>('POST', '/teams', { name: 'Nobody', members: [] });
    await scene.ok('POST', `/conversations/${id}/assign`, { assignee_id: team.id });
    expect(await scene.pending()).toContain(id);
    scene.hook.answer(sure('Still me.'));
    await scene.say('Two', { ...person, external_id: 'p40-two' });
    await eventually(() => expect(scene.sent(id)).toEqual(['Still me.']));
  });

  it('does not keep the AI from the next question, once the agent resolved the last', async () => {
    const person = goOn(3);
    const id = await scene.say('One', person);
    await eventually(() => expect(scene.sent(id)).toHaveLength(1));
    await scene.ok('POST', `/conversations/${id}/messages`, { content: 'And I am Grace.' });
    await scene.ok('PUT', `/conversations/${id}/resolve`);
    await scene.say('Two', { ...person, external_id: 'p3-two' });
    await eventually(() => expect(scene.sent(id)).toHaveLength(3));
    expect(scene.sent(id).at(-1)).toBe('It is on its way.');
  });
});

describe('an AI that misbehaves', () => {
  const ways: [what: string, how: Parameters<Scene['hook']['answer']>[0]][] = [
    ['breaks', (response) => response.writeHead(500).end('{"reply": "no", "confidence": 1}')],
    ['hangs up', (response) => response.destroy()],
    ['sends elsewhere', (response) => response.writeHead(302, { location: 'https://example.com' }).end()],
    ['answers no JSON', (response) => response.end('<html>')],
    ['answers nothing', (response) => response.end()],
    ['answers a list', []],
    ['answers nothing of use', { text: 'Hello' }],
    ['says no confidence', { reply: 'Hello' }],
    ['is surer than sure', { reply: 'Hello', confidence: 1.5 }],
    ['spells its confidence', { reply: 'Hello', confidence: '0.9' }],
    ['replies a number', { reply: 42, confidence: 1 }],
    ['replies what cannot be stored', { reply: 'a\0b', confidence: 1 }],
    ['replies half a character', (response) => response.end('{"reply": "\\ud83d", "confidence": 1}')],
    ['replies a book', { reply: 'x'.repeat(30_000), confidence: 1 }],
  ];

  it.each(ways)('leaves nobody waiting when it %s', async (_, how) => {
    scene.hook.answer(how);
    const id = await scene.say('Anybody there?');
    const { handoff_reason, messages } = await flagged(id);
    expect(['ai_unavailable', 'ai_asked']).toContain(handoff_reason);
    expect(messages.filter(({ sender_type }) => sender_type === 'system')).toHaveLength(1);
    expect(scene.sent(id)).toEqual([]);
    expect(scene.hook.of(id)).toHaveLength(1);
  });

  it('shows the business why, until it answers again', async () => {
    scene.hook.answer((response) => response.writeHead(503).end());
    await flagged(await scene.say('Hello?'));
    const failing = await scene.ok<{ last_failure: unknown }>('GET', '/business/ai');
    expect(failing.last_failure).toMatchObject({ message: 'HTTP 503' });
    scene.hook.answer((response) => response.end('{"reply": "Hel'));
    await flagged(await scene.say('Hello?'));
    expect(await scene.ok('GET', '/business/ai')).toMatchObject({
      last_failure: { message: expect.stringContaining('no JSON') },
    });
    scene.hook.answer(sure('Hello!'));
    const id = await scene.say('Hello?');
    await eventually(() => expect(scene.sent(id)).toHaveLength(1));
    expect(await scene.ok('GET', '/business/ai')).toMatchObject({ last_failure: null });
  });

  it('has its time and no more', async () => {
    await scene.setHook({ mode: 'auto', timeout_seconds: 1 });
    scene.hook.answer(() => {});
    const id = await scene.say('Anybody there?');
    const { messages } = await flagged(id);
    expect(messages.at(-1)?.content).toContain('no answer within 1000 ms');
  });

  it('flags what is flagged no second time, and keeps the better reason', async () => {
    const person = goOn(4);
    scene.hook.answer(unsure('complex_issue'));
    const id = await scene.say('One', person);
    await flagged(id);
    scene.hook.answer((response) => response.writeHead(500).end());
    await scene.say('Two', { ...person, external_id: 'p4-two' });
    await eventually(async () => expect(await scene.turns(id)).toEqual(['drafted', 'failed']));
    const { handoff_reason, messages } = await scene.conversation(id);
    expect(handoff_reason).toBe('complex_issue');
    expect(messages.filter(({ type }) => type === 'note')).toHaveLength(1);
  });
});

describe('an answer that comes too late', () => {
  async function whileThinking(
    person: Record<string, unknown>,
    act: (id: string) => Promise<unknown>,
  ): Promise<string> {
    let release = () => {};
    scene.hook.answer((response) => {
      release = () => response.end(JSON.stringify(sure('Too late.')));
    });
    const id = await scene.say('One', person);
    await eventually(() => expect(scene.hook.of(id)).toHaveLength(1));
    await act(id);
    release();
    return id;
  }

  it('is not sent once an agent wrote', async () => {
    const id = await whileThinking(goOn(5), (conversation) =>
      scene.ok('POST', `/conversations/${conversation}/messages`, { content: 'I have it.' }),
    );
    await eventually(async () => expect(await scene.turns(id)).toEqual(['refused']));
    await eventually(() => expect(scene.sent(id)).toEqual(['I have it.']));
  });

  it('is not sent once somebody has it, it is resolved, or the hook is gone', async () => {
    const acts: ((id: string) => Promise<unknown>)[] = [
      (id) => scene.ok('POST', `/conversations/${id}/assign`, { assignee_id: scene.gateway.agentId }),
      (id) => scene.ok('PUT', `/conversations/${id}/resolve`),
      () => scene.ok('DELETE', '/business/ai'),
    ];
    for (const [n, act] of acts.entries()) {
      const id = await whileThinking(goOn(10 + n), act);
      await eventually(async () => expect(['silent', 'refused']).toContain((await scene.turns(id))[0]));
      expect((await scene.conversation(id)).messages).toHaveLength(1);
    }
  });

  it('is asked for again when the mode was changed meanwhile, so that nobody waits for nothing', async () => {
    const id = await whileThinking(goOn(31), async () => {
      await scene.setHook({ mode: 'assist' });
      scene.hook.answer(sure('A draft.'));
    });
    await eventually(async () => expect(await scene.turns(id)).toEqual(['drafted']));
    expect(await scene.ok('GET', `/conversations/${id}/drafts`)).toMatchObject({
      data: [{ content: 'A draft.' }],
    });
    expect(scene.hook.of(id).map(({ mode }) => mode)).toEqual(['auto', 'assist']);
    expect(scene.sent(id)).toEqual([]);
  });

  it('is not late for what the customer’s machine says meanwhile', async () => {
    const person = goOn(30);
    const id = await whileThinking(person, () =>
      scene.say('I am out of the office.', { ...person, external_id: 'p30-away', automatic: true }),
    );
    await eventually(() => expect(scene.sent(id)).toEqual(['Too late.']));
    expect(await scene.turns(id)).toEqual(['sent']);
  });

  it('gives way to one to what the customer wrote since', async () => {
    const person = goOn(6);
    const id = await whileThinking(person, async (conversation) => {
      scene.hook.answer(sure('To both.'));
      await scene.say('Two', { ...person, external_id: 'p6-two' });
      await eventually(() => expect(scene.hook.of(conversation)).toHaveLength(2));
    });
    await eventually(() => expect(scene.sent(id)).toEqual(['To both.']));
    expect(scene.hook.of(id)[1]?.data.messages.map(({ content }) => content)).toEqual(['One', 'Two']);
    expect(await scene.turns(id)).toEqual(['superseded', 'sent']);
  });
});

it('asks for a person when its answer cannot be sent', async () => {
  const id = await scene.say('Where is it?', goOn(20));
  await eventually(() => expect(scene.sent(id)).toHaveLength(1));
  scene.program.answerNext((response) => response.writeHead(422).end());
  await scene.say('And when?', { ...goOn(20), external_id: 'p20-two' });
  expect(await flagged(id)).toMatchObject({ handoff_reason: 'ai_not_sent' });
});

it('is not made late by what a rule says by itself', async () => {
  const greeting = 'Welcome! We answer soon.';
  await scene.ok('PATCH', `/channels/${scene.channelId}`, { greeting });
  let release = () => {};
  scene.hook.answer((response) => {
    release = () => response.end(JSON.stringify(sure('Here.')));
  });
  const id = await scene.say('Where is it?');
  await eventually(() => expect([scene.sent(id), scene.hook.of(id).length]).toEqual([[greeting], 1]));
  await scene.ok('PATCH', `/channels/${scene.channelId}`, { greeting: null });
  release();
  await eventually(() => expect(scene.sent(id)).toEqual([greeting, 'Here.']));
});

describe('who is not answered', () => {
  it('are machines', async () => {
    const id = await scene.say('I am out of the office.', { automatic: true });
    const other = await scene.say('I am not.');
    await eventually(() => expect(scene.sent(other)).toHaveLength(1));
    expect(await scene.turns(id)).toEqual([]);
  });

  it('are machines that do not say so, after a while', async () => {
    const person = goOn(7);
    const id = await scene.say('Ping 0', person);
    await eventually(() => expect(scene.sent(id)).toHaveLength(1));
    await scene.gateway.pool`
      insert into ai_turns (id, business_id, conversation_id, state, finished_at)
      select gen_random_uuid(), business_id, conversation_id, 'sent', now()
      from ai_turns, generate_series(1, 29) where conversation_id = ${id}`;
    await scene.say('Ping 1', { ...person, external_id: 'p7-two' });
    expect(await flagged(id)).toMatchObject({ handoff_reason: 'too_many_answers' });
    expect(scene.sent(id)).toHaveLength(1);
  });

  it('is who wrote before there was a hook', async () => {
    await scene.ok('DELETE', '/business/ai');
    const id = await scene.say('Too early.');
    await scene.setHook({ mode: 'auto' });
    const later = await scene.say('Now.');
    await eventually(() => expect(scene.sent(later)).toHaveLength(1));
    expect(await scene.turns(id)).toEqual([]);
  });
});

it('tells no more than the newest of a long conversation, and nothing internal', async () => {
  const person = goOn(8);
  const id = await scene.say('x'.repeat(40_000), person);
  await eventually(() => expect(scene.sent(id)).toHaveLength(1));
  expect(scene.hook.of(id)[0]?.data.messages[0]?.content).toHaveLength(32_000);
  await scene.ok('POST', `/conversations/${id}/messages`, { content: 'A secret of the team', type: 'note' });
  for (let n = 0; n < 24; n += 1) await scene.say(`${n}`, { ...person, external_id: `p8-${n}` });
  // An answer that has not seen the last of them is let go, and they are asked about once more.
  await eventually(async () => {
    const last = (await scene.conversation(id)).messages.slice(-2);
    expect(last).toMatchObject([{ content: '23' }, { sender_type: 'system' }]);
  });
  const messages = scene.hook.of(id).at(-1)?.data.messages ?? [];
  expect(messages.length).toBeLessThanOrEqual(20);
  expect(messages.map(({ content }) => content)).toContain('23');
  expect(JSON.stringify(scene.hook.of(id))).not.toContain('secret of the team');
});

it('lets no agent be found for what the AI answers, until it asks for one', async () => {
  await scene.ok('PATCH', '/team/status', { status: 'live' });
  await scene.ok('PATCH', `/channels/${scene.channelId}`, { assignment: { mode: 'round_robin' } });
  const id = await scene.say('Where is it?');
  await eventually(() => expect(scene.sent(id)).toHaveLength(1));
  expect(await scene.conversation(id)).toMatchObject({ assignee_id: null });
  scene.hook.answer(unsure('complex_issue'));
  const hard = await scene.say('And why?');
  await eventually(async () =>
    expect(await scene.conversation(hard)).toMatchObject({ assignee_id: scene.gateway.agentId }),
  );
  await scene.ok('DELETE', '/business/ai');
  await eventually(async () =>
    expect(await scene.conversation(id)).toMatchObject({ assignee_id: scene.gateway.agentId }),
  );
  await scene.ok('PATCH', `/channels/${scene.channelId}`, { assignment: { mode: 'manual' } });
});
