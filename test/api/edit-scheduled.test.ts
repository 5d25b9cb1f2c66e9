import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventTypes, eventually, otherBusiness } from '../support/inbox.ts';

interface Message {
  id: string;
  content: string;
  html: string | null;
  email: { subject?: string } | null;
  status: string;
  send_at: string | null;
}
interface Refusal {
  error: { code: string; details: { field: string }[] };
}

const FAR = '2999-01-01T00:00:00.000Z';
let gateway: TestGateway;
let conversationId: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  const opened = await gateway.call<{ id: string }>('POST', '/api/v1/conversations', {
    business_id: gateway.businessId,
  });
  conversationId = opened.body.id;
});
afterAll(() => gateway.stop());

async function scheduled(fields: Record<string, unknown> = {}): Promise<string> {
  const body = { content: 'see you', html: '<b>see you</b>', send_at: FAR, ...fields };
  const path = `/api/v1/conversations/${conversationId}/messages`;
  const answer = await gateway.call<Message>('POST', path, body);
  expect(answer.status).toBe(202);
  return answer.body.id;
}

const edit = <T = Message>(id: string, body: unknown, key = gateway.apiKey) =>
  gateway.call<T>('PATCH', `/api/v1/messages/${id}`, body, { key });
const read = async (id: string) => (await gateway.call<Message>('GET', `/api/v1/messages/${id}`)).body;

describe('a scheduled message', () => {
  it('can be changed while it waits', async () => {
    const id = await scheduled();
    const later = '2999-02-01T00:00:00.000Z';
    const { status, body } = await edit(id, { content: 'see you then', send_at: later, subject: 'Tomorrow' });
    expect(status).toBe(200);
    expect(body).toMatchObject({
      content: 'see you then',
      html: null,
      send_at: later,
      status: 'scheduled',
      email: { subject: 'Tomorrow' },
    });
    expect(await read(id)).toMatchObject({ content: 'see you then', send_at: later });
    expect((await edit(id, { html: '<i>see you then</i>' })).body).toMatchObject({
      content: 'see you then',
      html: '<i>see you then</i>',
    });
  });

  it('tells of a change, and of nothing where nothing changed', async () => {
    const id = await scheduled();
    const updates = async () =>
      (await eventTypes(gateway, conversationId)).filter((type) => type === 'message.updated').length;
    await edit(id, { content: 'first change' });
    await eventually(async () => (await updates()) > 0);
    const before = await updates();
    await edit(id, { content: 'first change', send_at: FAR, cancel_on_reply: false });
    await edit(id, { content: 'second change' });
    await eventually(async () => (await updates()) > before);
    expect(await updates()).toBe(before + 1);
  });

  it('goes with its new text at its new time, a past one meaning at once', async () => {
    const id = await scheduled();
    await edit(id, { content: 'now then', send_at: '2020-01-01T00:00:00Z' });
    await eventually(async () => (await read(id)).status === 'sent');
    expect(await read(id)).toMatchObject({ content: 'now then', html: null });
    const late = await edit<Refusal>(id, { send_at: FAR });
    expect([late.status, late.body.error.code]).toEqual([409, 'conflict']);
  });

  it('is neither emptied, nor given a time that is none, nor moved out of the reply window', async () => {
    const id = await scheduled();
    for (const [body, field] of [
      [{ content: ' ' }, 'content'],
      [{ send_at: 'tomorrow' }, 'send_at'],
    ] as const) {
      const refused = await edit<Refusal>(id, body);
      expect([refused.status, refused.body.error.details[0]?.field]).toEqual([422, field]);
    }
    await gateway.pool`
      update conversations set reply_window_expires_at = '2999-01-02' where id = ${conversationId}`;
    const outside = await edit<Refusal>(id, { send_at: '2999-01-03T00:00:00Z' });
    expect([outside.status, outside.body.error.code]).toEqual([422, 'window_closed']);
    expect((await read(id)).send_at).toBe(FAR);
  });

  it('is changed by what was read of it with something else in it, before and after it goes', async () => {
    const id = await scheduled({ html: undefined });
    const waiting = await edit(id, { ...(await read(id)), content: 'changed' });
    expect([waiting.status, waiting.body.content]).toEqual([200, 'changed']);
    await edit(id, { send_at: '2020-01-01T00:00:00Z' });
    await eventually(async () => (await read(id)).status === 'sent');
    const sent = await edit(id, { ...(await read(id)), content: 'reworded' });
    expect([sent.status, sent.body.content]).toEqual([200, 'reworded']);
  });

  it('is nobody else’s to change, and no other message gets a time', async () => {
    const id = await scheduled();
    const foreign = await edit<Refusal>(id, { content: 'mine' }, await otherBusiness(gateway));
    expect(foreign.status).toBe(404);
    const path = `/api/v1/conversations/${conversationId}/messages`;
    const note = await gateway.call<Message>('POST', path, { content: 'a note', type: 'note' });
    expect((await edit<Refusal>(note.body.id, { send_at: FAR })).status).toBe(409);
  });
});
