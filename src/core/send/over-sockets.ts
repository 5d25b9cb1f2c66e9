import type { Sql } from '../database/connect.ts';
import { partSent } from '../messages/receipts.ts';

interface Stored {
  channelId: string;
  messageId: string;
  generation: number;
}

/** Where nothing leaves over a provider, a stored message is a sent one. Receipts name it by our own id. */
export async function sentOverSockets(tx: Sql, stored: Stored): Promise<void> {
  const { messageId, generation } = stored;
  await tx`
    insert into message_parts (message_id, generation, n, payload, status)
    values (${messageId}, ${generation}, 0, '{}', 'queued') on conflict do nothing`;
  await partSent(tx, { ...stored, n: 0, externalIds: [messageId], status: 'sent' });
}
