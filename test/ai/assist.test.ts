import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { closeAll, connect } from '../realtime/sockets.ts';
import { eventually } from '../support/gateway.ts';
import { eventTypes, otherBusiness } from '../support/inbox.ts';
import { type Message, type Scene, startScene } from './scene.ts';

let scene: Scene;

beforeAll(async () => {
  scene = await startScene();
}, 60_000);
afterAll(async () => {
  closeAll();
  await scene.stop();
});
beforeEach(async () => {
  await scene.setHook({ mode: 'assist', threshold: 0.8 });
  scene.hook.answer({ reply: SUGGESTED, confidence: 0.95 });
});

const SUGGESTED = 'Suggested by a machine';

interface Draft {
  id: string;
  content: string;
  state: string;
  is_outdated: boolean;
}

interface Reply {
  reply: string | null;
  confidence: number;
  mode: string;
  needs_handoff: boolean;
  handoff_reason: string | null;
  message_id: string | null;
  draft_id: string | null;
}

const drafts = async (id: string) =>
  (await scene.ok<{ data: Draft[] }>('GET', `/conversations/${id}/drafts`)).data;

async function drafted(id: string): Promise<Draft> {
  return eventually(async () => {
    const [draft] = await drafts(id);
    expect(draft).toBeDefined();
    return draft as Draft;
  });
}

describe('a draft', () => {
  it('waits for agents, however sure the AI is, and flags nothing', async () => {
    const id = await scene.say('Where is it?');
    expect(await drafted(id)).toMatchObject({ content: SUGGESTED, confidence: 0.95, is_outdated: false });
    const conversation = await scene.conversation(id);
    expect([conversation.messages.length, conversation.needs_human_handoff]).toEqual([1, false]);
    expect(await eventTypes(scene.gateway, id)).toContain('draft.created');
  });

  it('is sent by the agent who accepts it, once, as it is or reworded', async () => {
    const id = await scene.say('Where is it?');
    const { id: draft } = await drafted(id);
    const accepted = await scene.ok<Message>('POST', `/drafts/${draft}/accept`, { content: 'In Paris.' });
    expect(accepted).toMatchObject({
      sender_type: 'agent',
      content: 'In Paris.',
      metadata: { ai: { draft_id: draft } },
    });
    const again = await scene.ok<Message>('POST', `/drafts/${draft}/accept`, {});
    expect(again.id).toBe(accepted.id);
    await eventually(() => expect(scene.sent(id)).toEqual(['In Paris.']));
    expect(await drafts(id)).toEqual([]);
    const discarded = await scene.gateway.call('DELETE', `/api/v1/drafts/${draft}`);
    expect(discarded.status).toBe(409);

    const other = await scene.say('And mine?');
    const path = `/drafts/${(await drafted(other)).id}/accept`;
    const both = await Promise.all([scene.ok<Message>('POST', path), scene.ok<Message>('POST', path)]);
    expect(both[0].id).toBe(both[1].id);
    await eventually(() => expect(scene.sent(other)).toEqual([SUGGESTED]));
    expect((await scene.conversation(other)).first_response_at).not.toBeNull();
  });

  it('is discarded for good', async () => {
    const id = await scene.say('Where is it?');
    const { id: draft } = await drafted(id);
    await scene.ok('DELETE', `/drafts/${draft}`);
    await scene.ok('DELETE', `/drafts/${draft}`);
    expect(await drafts(id)).toEqual([]);
    expect((await scene.gateway.call('POST', `/api/v1/drafts/${draft}/accept`, {})).status).toBe(409);
    expect(scene.sent(id)).toEqual([]);
  });

  it('gives way to one for a newer message, goes on being made for whoever has the conversation, and says when it is outdated', async () => {
    const person = { sender: { external_id: 'ada', name: 'Ada' } };
    const id = await scene.say('One', person);
    const first = await drafted(id);
    await scene.ok('PUT', `/conversations/${id}/assign/${scene.gateway.agentId}`);
    await scene.say('Two', { ...person, external_id: 'two' });
    await eventually(async () => {
      const [draft, ...others] = await drafts(id);
      expect([draft?.id === first.id, others]).toEqual([false, []]);
    });
    await scene.ok('POST', `/conversations/${id}/messages`, { content: 'I write myself.' });
    const [outdated] = await drafts(id);
    expect(outdated?.is_outdated).toBe(true);
    const late = await scene.gateway.call('POST', `/api/v1/drafts/${outdated?.id}/accept`, {
      if_last_seq: 2,
    });
    expect(late.status).toBe(409);
  });

  it('is nobody else’s', async () => {
    const id = await scene.say('Where is it?');
    const { id: draft } = await drafted(id);
    const key = await otherBusiness(scene.gateway);
    const paths = [
      `POST /drafts/${draft}/accept`,
      `DELETE /drafts/${draft}`,
      `GET /conversations/${id}/drafts`,
    ];
    for (const path of paths) {
      const [method = '', at = ''] = path.split(' ');
      const body = method === 'POST' ? {} : undefined;
      expect([path, (await scene.gateway.call(method, `/api/v1${at}`, body, { key })).status]).toEqual([
        path,
        404,
      ]);
    }
    expect((await scene.gateway.call('GET', '/api/v1/business/ai', undefined, { key })).status).toBe(404);
    expect(await drafts(id)).toHaveLength(1);
  });

  it('never reaches the customer by any path', async () => {
    const visitor = await connect(scene.gateway.url, { business_id: scene.gateway.businessId });
    const agent = await connect(scene.gateway.url, {
      business_id: scene.gateway.businessId,
      token: scene.gateway.apiKey,
    });
    const { conversation_id: id } = await visitor.ask('client_message', { content: 'Where is it?' });
    const draft = await drafted(String(id));
    await agent.next('event', ({ type }) => type === 'draft.created');
    await scene.ok('POST', `/conversations/${id}/messages`, { content: 'It is here.' });
    await visitor.next('new_message', ({ content }) => content === 'It is here.');
    const synced = await visitor.ask('sync', { conversation_id: id, after_seq: 0 });
    expect(JSON.stringify(agent.heard)).toContain(SUGGESTED);
    expect(JSON.stringify([visitor.heard, synced])).not.toContain(SUGGESTED);
    expect(JSON.stringify(synced)).toContain('It is here.');
    await scene.ok('DELETE', `/drafts/${draft.id}`);
    const other = await scene.say('Where is it?');
    await drafted(other);
    await scene.ok('POST', `/conversations/${other}/messages`, { content: 'There.' });
    await eventually(() => expect(scene.sent(other)).toEqual(['There.']));
    expect(
      JSON.stringify(scene.program.taken.filter(({ data }) => data.message?.content !== SUGGESTED)),
    ).not.toContain(SUGGESTED);
  });

  it('is gone when its customer is erased', async () => {
    const id = await scene.say('Forget me.');
    await drafted(id);
    const { customer } = await scene.ok<{ customer: { id: string } }>('GET', `/conversations/${id}`);
    await scene.ok('DELETE', `/customers/${customer.id}`);
    expect(await scene.turns(id)).toEqual([]);
  });
});

it('is not asked for more than a draft when it fails, and flags nobody', async () => {
  scene.hook.answer((response) => response.writeHead(500).end());
  const id = await scene.say('Anybody there?');
  await eventually(async () => expect(await scene.turns(id)).toEqual(['failed']));
  expect(await scene.conversation(id)).toMatchObject({ needs_human_handoff: false, messages: [{}] });
});

describe('POST /ai/reply', () => {
  const ask = (body: object) => scene.gateway.call<Reply>('POST', '/api/v1/ai/reply', body);

  it('answers what A documents, as a draft', async () => {
    const conversation_id = await scene.say('Where is it?', { automatic: true });
    scene.hook.answer({ reply: 'Probably there.', confidence: 0.5 });
    const { status, body } = await ask({ conversation_id, mode: 'assist' });
    expect([status, body]).toMatchObject([
      200,
      {
        reply: 'Probably there.',
        confidence: 0.5,
        mode: 'assist',
        needs_handoff: true,
        handoff_reason: 'low_confidence',
      },
    ]);
    expect(await drafts(conversation_id)).toMatchObject([{ id: body.draft_id }]);
    expect(await scene.conversation(conversation_id)).toMatchObject({ needs_human_handoff: false });
  });

  it('sends in mode auto what is sure enough, and only once', async () => {
    const conversation_id = await scene.say('Where is it?');
    await drafted(conversation_id);
    const { body } = await ask({ conversation_id, mode: 'auto' });
    expect(body).toMatchObject({
      reply: SUGGESTED,
      mode: 'auto',
      needs_handoff: false,
      handoff_reason: null,
    });
    await eventually(() => expect(scene.sent(conversation_id)).toEqual([SUGGESTED]));
    expect((await ask({ conversation_id, mode: 'auto' })).status).toBe(409);
    const { messages } = await scene.conversation(conversation_id);
    expect(messages.at(-1)).toMatchObject({ id: body.message_id, sender_type: 'system' });
  });

  it('flags in mode auto what is not, and what cannot be answered', async () => {
    const unsure = await scene.say('Hm?');
    scene.hook.answer({ reply: 'Perhaps', confidence: 0.1, handoff_reason: 'complex_issue' }, unsure);
    const first = await ask({ conversation_id: unsure, mode: 'auto' });
    expect(first.body).toMatchObject({ needs_handoff: true, handoff_reason: 'complex_issue' });
    const broken = await scene.say('Hm?');
    scene.hook.answer((response) => response.destroy(), broken);
    const second = await ask({ conversation_id: broken, mode: 'auto' });
    expect([second.status, second.body]).toMatchObject([
      200,
      { reply: null, confidence: 0, needs_handoff: true, handoff_reason: 'ai_unavailable' },
    ]);
    expect((await scene.pending()).toSorted()).toEqual([unsure, broken].toSorted());
  });

  it('answers no machine, nothing that an agent has, and nothing twice in mode auto', async () => {
    const automatic = await scene.say('Out of office', { automatic: true });
    const taken = await scene.say('Hello');
    await scene.ok('PUT', `/conversations/${taken}/assign/${scene.gateway.agentId}`);
    for (const conversation_id of [automatic, taken])
      expect((await ask({ conversation_id, mode: 'auto' })).status).toBe(409);
    const unknown = await ask({ conversation_id: scene.gateway.businessId });
    expect([unknown.status, JSON.stringify(unknown.body)]).toEqual([
      422,
      expect.stringContaining('conversation_id'),
    ]);
    await scene.ok('DELETE', '/business/ai');
    expect((await ask({ conversation_id: taken })).status).toBe(409);
  });

  it('refuses what comes too late', async () => {
    const conversation_id = await scene.say('Hello');
    await drafted(conversation_id);
    scene.hook.answer((response) => {
      void scene
        .ok('POST', `/conversations/${conversation_id}/messages`, { content: 'Me first.' })
        .then(() => response.end(JSON.stringify({ reply: 'Me too.', confidence: 1 })));
    });
    for (const mode of ['auto', 'assist']) expect((await ask({ conversation_id, mode })).status).toBe(409);
    expect(scene.sent(conversation_id)).not.toContain('Me too.');
  });
});

describe('PUT /business/ai', () => {
  it('shows its secret once, and a new one when asked for', async () => {
    await scene.ok('DELETE', '/business/ai');
    const put = (fields = {}) =>
      scene.ok<{ secret?: string }>('PUT', '/business/ai', { url: scene.hook.url, ...fields });
    const { secret } = await put();
    expect(secret).toMatch(/^whsec_/);
    expect(await put({ mode: 'auto' })).not.toHaveProperty('secret');
    const shown = await scene.ok('GET', '/business/ai');
    expect(shown).toMatchObject({ url: scene.hook.url, mode: 'auto', threshold: 0.8, timeout_seconds: 20 });
    expect(JSON.stringify(shown)).not.toContain('whsec_');
    const rotated = await put({ rotate_secret: true });
    expect(rotated.secret).not.toBe(secret);
    scene.hook.secret = rotated.secret ?? '';
    const id = await scene.say('Hello');
    await drafted(id);
  });

  it('names what is wrong', async () => {
    const wrong: [string, object][] = [
      ['url', { url: 'http://169.254.169.254/latest' }],
      ['url', { url: 'nowhere' }],
      ['url', {}],
      ['mode', { url: scene.hook.url, mode: 'alone' }],
      ['threshold', { url: scene.hook.url, threshold: 1.2 }],
      ['timeout_seconds', { url: scene.hook.url, timeout_seconds: 600 }],
    ];
    for (const [field, body] of wrong) {
      const answer = await scene.gateway.call<{ error: { details: { field: string }[] } }>(
        'PUT',
        '/api/v1/business/ai',
        body,
      );
      expect([answer.status, answer.body.error.details[0]?.field]).toEqual([422, field]);
    }
  });
});
