import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fakeUser, update } from '../support/telegram.ts';

interface Message {
  id: string;
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
  const send_at = new Date(Date.now() + 1_500).toISOString();
  const scheduled = await gateway.call<Message>('POST', `${path}/messages`, { content: 'late', send_at });
  expect(scheduled.body).toMatchObject({ status: 'scheduled', seq: null });
  await gateway.pool`update conversations set reply_window_expires_at = now() where id = ${row?.id ?? null}`;

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
