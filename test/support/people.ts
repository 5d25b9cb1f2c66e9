import type { Door } from './door.ts';
import type { TestGateway } from './gateway.ts';
import { type FakeUpdate, type FakeUser, update } from './telegram.ts';

export interface Written {
  conversation_id: string;
  customer_id: string;
  message_id: string;
}

/** Posts an update to the door; says which message it became. */
export async function receive(gateway: TestGateway, door: Door, given: FakeUpdate): Promise<Written> {
  const status = await door.post(given);
  if (status !== 200) throw new Error(`the door answered ${status}`);
  const [row] = await gateway.pool<Written[]>`
    select m.id as message_id, m.conversation_id, m.customer_id from inbound_keys k join messages m on m.id = k.message_id
    where k.channel_id = ${door.channelId} and k.external_event_id = ${`update:${given.update_id}`}`;
  if (row === undefined) throw new Error('the message was not stored');
  return row;
}

/** A text of somebody to the bot. */
export function write(gateway: TestGateway, door: Door, from: FakeUser, text = 'hello'): Promise<Written> {
  return receive(gateway, door, update.text({ from, text }));
}
