import { customerEvent } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import type { IdentityChange } from '../envelope.ts';
import { record } from '../events.ts';
import type { CustomerRow } from '../views/customer.ts';
import type { Item } from './item.ts';

/** Follows somebody to a new address, or a chat to a new thread. */
export async function changeIdentity(tx: Sql, { channel }: Item, change: IdentityChange): Promise<void> {
  if (change.newThreadKey !== undefined)
    await moveThread(tx, { channelId: channel.id, change, to: change.newThreadKey });
  if (change.address !== undefined) {
    const { from, to, kind } = change.address;
    await tx`
      update identities set address = ${to}, kind = ${kind}
      where channel_id = ${channel.id} and address = ${from}
        and not exists (select 1 from identities where channel_id = ${channel.id} and address = ${to})`;
    if (kind === 'phone') await changePhone(tx, channel.id, { from, to });
  }
  if (change.reachable !== undefined) {
    await tx`
      update identities set reachable = ${change.reachable}
      where channel_id = ${channel.id} and address = ${change.threadKey}`;
  }
}

/** Who has a new number has it everywhere. */
async function changePhone(
  tx: Sql,
  channelId: string,
  { from, to }: { from: string; to: string },
): Promise<void> {
  const rows = await tx<CustomerRow[]>`
    update customers c set phone = ${to}, updated_at = now() from identities i
    where i.channel_id = ${channelId} and i.address = ${to} and c.id = i.customer_id and c.phone = ${from}
    returning c.*`;
  for (const row of rows) await record(tx, [customerEvent('customer.updated', row)]);
}

interface ThreadMove {
  channelId: string;
  change: IdentityChange;
  to: string;
}

/** Both keys lead to the conversation from now on: what was sent to the old one before the move may still arrive. */
async function moveThread(tx: Sql, { channelId, change, to }: ThreadMove): Promise<void> {
  await tx`
    update threads n set conversation_id = o.conversation_id, customer_id = o.customer_id,
      merged_from = o.merged_from, updated_at = now()
    from threads o
    where n.channel_id = ${channelId} and n.thread_key = ${to} and n.conversation_id is null
      and o.channel_id = ${channelId} and o.thread_key = ${change.threadKey}`;
  await tx`
    update conversations set thread_key = ${to}
    where channel_id = ${channelId} and thread_key = ${change.threadKey}
      and id = (select conversation_id from threads where channel_id = ${channelId} and thread_key = ${change.threadKey})`;
}
