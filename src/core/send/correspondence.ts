import type { Sql } from '../database/connect.ts';
import type { Correspondence, EarlierMessage, MailFacts } from '../envelope.ts';
import type { SendingMessage } from './parts.ts';

const MOST_EARLIER = 20;

/** To whom a letter goes and in answer to what: one more look at the conversation, for channels that write letters. */
export async function correspondenceOf(tx: Sql, message: SendingMessage): Promise<Correspondence> {
  const [known] = await tx<Known[]>`
    select c.subject, u.name, coalesce(i.address, u.email) as address
    from conversations c
    left join customers u on u.id = c.customer_id
    left join lateral (
      select address from identities
      where customer_id = c.customer_id and channel_id = c.channel_id
      order by reachable desc, created_at desc, id desc limit 1) i on true
    where c.id = ${message.conversation_id}`;
  const writtenBy = writerOf(message);
  return {
    subject: known?.subject ?? undefined,
    recipient: recipientOf(known),
    writtenBy,
    writtenAt: message.created_at,
    lastAutomaticAt: writtenBy === 'system' ? await lastAutomaticAt(tx, message) : undefined,
    earlier: await earlierThan(tx, message),
  };
}

/** What a business's AI says is a program's of the business, not ours. */
function writerOf({ sender_type, metadata }: SendingMessage): Correspondence['writtenBy'] {
  if (sender_type === 'customer') return 'agent';
  return sender_type === 'system' && 'ai' in metadata ? 'bot' : sender_type;
}

interface Known {
  subject: string | null;
  name: string | null;
  address: string | null;
}

function recipientOf(known: Known | undefined): Correspondence['recipient'] {
  if (known === undefined || known.address === null) return undefined;
  return { address: known.address, ...(known.name === null ? {} : { name: known.name }) };
}

/** Of two that are on their way at once the older one counts, so that one of them goes. */
async function lastAutomaticAt(tx: Sql, message: SendingMessage): Promise<Date | undefined> {
  const [row] = await tx<[{ at: Date | null }]>`
    select max(m.created_at) as at from messages m join conversations c on c.id = m.conversation_id
    where c.customer_id = (select customer_id from conversations where id = ${message.conversation_id})
      and m.channel_id = ${message.channel_id} and m.id < ${message.id}
      and m.direction = 'outbound' and m.sender_type = 'system' and not m.metadata ? 'ai'
      and m.status in ('queued', 'sending', 'sent', 'delivered', 'read')`;
  return row.at ?? undefined;
}

interface EarlierRow {
  id: string;
  direction: 'inbound' | 'outbound';
  external_id: string | null;
  sender_name: string | null;
  content: string;
  html: string | null;
  email: MailFacts | null;
  metadata: Record<string, unknown>;
  created_at: Date;
}

async function earlierThan(tx: Sql, message: SendingMessage): Promise<EarlierMessage[]> {
  const rows = await tx<EarlierRow[]>`
    select id, direction, external_id, sender_name, content, html, email, metadata, created_at from messages
    where conversation_id = ${message.conversation_id} and seq < ${message.seq}
      and direction in ('inbound', 'outbound') and type not in ('note', 'activity') and deleted_at is null
      and (direction = 'inbound' or status in ('sent', 'delivered', 'read'))
    order by seq desc limit ${MOST_EARLIER}`;
  return rows.map((row) => ({
    isInbound: row.direction === 'inbound',
    externalId: row.external_id ?? undefined,
    isAnswered: row.id === message.reply_to_id,
    senderName: row.sender_name ?? undefined,
    content: row.content,
    html: row.html ?? undefined,
    writtenAt: row.created_at,
    email: row.email ?? undefined,
    metadata: row.metadata,
  }));
}
