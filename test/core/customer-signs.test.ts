import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fakeUser, update } from '../support/telegram.ts';

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

/** A chat in a business's own account, where the customer sees what was read. */
async function businessChat(connection: string): Promise<string> {
  const from = fakeUser();
  for (const message_id of [31, 32, 33])
    await door.post(update.businessMessage({ from, message_id, business_connection_id: connection }));
  const [row] = await gateway.pool<{ id: string }[]>`
    select id from conversations where thread_key = ${`${from.id}@${connection}`}`;
  return `/api/v1/conversations/${row?.id}`;
}

const callsOf = (method: string) => door.telegram.calls.filter((call) => call.method === method);

describe('reading a conversation', () => {
  it('is shown to the customer up to the message that was read', async () => {
    const path = await businessChat('bc-read');
    const before = callsOf('readBusinessMessage').length;
    expect((await gateway.call('POST', `${path}/read`, { up_to_seq: 2 })).status).toBe(200);
    await eventually(() => expect(callsOf('readBusinessMessage')).toHaveLength(before + 1));
    expect(callsOf('readBusinessMessage')[before]?.params).toMatchObject({
      business_connection_id: 'bc-read',
      message_id: 32,
    });
  });

  it('succeeds though the provider cannot show it', async () => {
    const path = await businessChat('bc-refused');
    door.telegram.fail('readBusinessMessage', { code: 400, description: 'Bad Request: not allowed' });
    const read = await gateway.call('POST', `${path}/read`, {});
    expect(read).toMatchObject({ status: 200, body: { unread_count: 0 } });
  });
});

describe('typing in a conversation', () => {
  it('is shown to the customer, once', async () => {
    const path = await businessChat('bc-typing');
    const before = callsOf('sendChatAction').length;
    const since = () => callsOf('sendChatAction').slice(before);
    expect((await gateway.call('POST', `${path}/typing`, { is_typing: true })).status).toBe(200);
    await eventually(() => expect(since()).not.toHaveLength(0));
    await gateway.call('POST', `${path}/typing`, { is_typing: false });
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(since().map(({ params }) => params['action'])).toEqual(['typing']);
  });

  it('asks the provider once, however often a program says it, and stores nothing', async () => {
    const path = await businessChat('bc-often');
    const before = callsOf('sendChatAction').length;
    const kept = () => gateway.pool`
      select (select count(*) from outbox) as outbox, (select max(seq) from events) as events,
        (select count(*) from messages) as messages`;
    await eventually(async () => expect(await gateway.pool`select id from outbox`).toEqual([]));
    const stored = await kept();
    for (let n = 0; n < 8; n += 1) await gateway.call('POST', `${path}/typing`, { is_typing: true });
    await eventually(() => expect(callsOf('sendChatAction').length).toBeGreaterThan(before));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(callsOf('sendChatAction')).toHaveLength(before + 1);
    expect(await kept()).toEqual(stored);
  });
});
