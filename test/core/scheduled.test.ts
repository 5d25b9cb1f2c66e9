import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fakeUser, update } from '../support/telegram.ts';

interface Message {
  id: string;
  conversation_id: string;
  seq: number | null;
  status: string;
  error: { code: string } | null;
}

let gateway: TestGateway;
let door: Door;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await door.close();
});

it('a scheduled message whose time to answer has passed meanwhile fails as such and is never sent', async () => {
  const from = fakeUser();
  await door.post(update.text({ from }));
  const [row] = await gateway.pool<{ id: string }[]>`
    select id from conversations where thread_key = ${String(from.id)}`;
  const path = `/api/v1/conversations/${row?.id}`;
  const send_at = '2999-01-01T00:00:00Z';
  const scheduled = await gateway.call<Message>('POST', `${path}/messages`, { content: 'late', send_at });
  expect(scheduled.body).toMatchObject({ status: 'scheduled', seq: null });
  await gateway.pool`update conversations set reply_window_expires_at = now() where id = ${row?.id ?? null}`;
  await gateway.pool`update messages set send_at = now() where id = ${scheduled.body.id}`;

  const read = async () => (await gateway.call<Message>('GET', `/api/v1/messages/${scheduled.body.id}`)).body;
  await eventually(async () => expect((await read()).status).toBe('failed'));
  expect(await read()).toMatchObject({ seq: 2, error: { code: 'window_closed' } });
  expect(door.telegram.shown(from.id)).toEqual([]);
  const conversation = await gateway.call<{ first_response_at: string | null }>('GET', path);
  expect(conversation.body.first_response_at).toBeNull();
  await eventually(async () => {
    const events =
      await gateway.pool`select type from events where message_id = ${scheduled.body.id} order by seq`;
    expect(events.map(({ type }) => type)).toEqual(['message.created', 'message.failed']);
  });
});

describe('a message that is scheduled in case nobody answers', () => {
  const read = async (id: string) => (await gateway.call<Message>('GET', `/api/v1/messages/${id}`)).body;

  async function waitingFor(from: ReturnType<typeof fakeUser>) {
    await door.post(update.text({ from }));
    const [row] = await gateway.pool<{ id: string }[]>`
      select id from conversations where thread_key = ${String(from.id)}`;
    return async (send_at: string, cancel_on_reply = true) => {
      const body = { content: 'Are you there?', send_at, cancel_on_reply };
      return (await gateway.call<Message>('POST', `/api/v1/conversations/${row?.id}/messages`, body)).body;
    };
  }

  it('is canceled as soon as the customer writes, and says why', async () => {
    const from = fakeUser();
    const schedule = await waitingFor(from);
    const reminder = await schedule('2999-01-01T00:00:00Z');
    const anyway = await schedule('2999-01-01T00:00:00Z', false);
    await door.post(update.text({ from, text: 'Here I am' }));
    await eventually(async () => expect((await read(reminder.id)).status).toBe('canceled'));
    expect(await read(reminder.id)).toMatchObject({ seq: null, error: { code: 'customer_replied' } });
    expect((await read(anyway.id)).status).toBe('scheduled');
  });

  it('goes at its time when only a machine answered', async () => {
    const from = fakeUser();
    const schedule = await waitingFor(from);
    const reminder = await schedule('2999-01-01T00:00:00Z');
    const automatic = { automatic: true };
    await gateway.pool`
      with counted as (
        update conversations set last_message_seq = last_message_seq + 1 where id = ${reminder.conversation_id} returning *)
      insert into messages (id, business_id, conversation_id, channel_id, seq, direction, sender_type, type, content, metadata)
      select ${crypto.randomUUID()}, business_id, id, channel_id, last_message_seq, 'inbound', 'customer', 'text',
        'I am away', ${gateway.pool.json(automatic)} from counted`;
    await gateway.pool`update messages set send_at = now() where id = ${reminder.id}`;
    await eventually(async () => expect((await read(reminder.id)).status).toBe('sent'));
    expect(door.telegram.shown(from.id).map(({ text }) => text)).toEqual(['Are you there?']);
  });
});
