import { type Lease, leaseHeld } from '../lanes.ts';
import { partSent } from '../messages/receipts.ts';
import type { SendOptions } from './options.ts';
import { generationOf, type SendingMessage } from './parts.ts';

/** Web chat needs no provider: every api process hears of the message and emits it. Receipts name it by our own id. */
export async function sendOverSockets(
  { transact }: SendOptions,
  message: SendingMessage,
  lease: Lease,
): Promise<boolean> {
  return transact(async (tx) => {
    const rows = await tx`
      update messages set status = 'sending'
      where id = ${message.id} and generation = ${message.generation} and status in ('queued', 'sending')
        and ${leaseHeld(tx, lease)}
      returning id`;
    if (rows.length === 0) return false;
    await tx`
      insert into message_parts (message_id, generation, n, payload, status)
      values (${message.id}, ${message.generation}, 0, '{}', 'queued') on conflict do nothing`;
    await partSent(tx, { ...generationOf(message), n: 0, externalIds: [message.id], status: 'sent' });
    return true;
  });
}
