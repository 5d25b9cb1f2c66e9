import type { LoadedChannel } from '../channels.ts';
import type { Sql } from '../database/connect.ts';
import type { Correspondence, OutboundAttachment, OutboundMessage, Part } from '../envelope.ts';
import type { FilledTemplate } from '../template.ts';
import type { MessageRow } from '../views/message.ts';

/** A message on its way, with where it goes. */
export interface SendingMessage extends MessageRow {
  generation: number;
  tries: number;
  template: FilledTemplate | null;
  thread_key: string | null;
  channel_type: string;
  /** Until when anything but a template may be sent; null where that is always. */
  reply_window_expires_at: Date | null;
  /** Whoever reads there has forbidden us to write. */
  opted_out: boolean;
  /** Those of this generation; null where none were kept yet. */
  parts: PartRow[] | null;
}

/** Which sending of which message a part belongs to. */
export function generationOf(message: SendingMessage) {
  return { channelId: message.channel_id, messageId: message.id, generation: message.generation };
}

export interface PartRow {
  n: number;
  status: string;
  payload: { payload: Record<string, unknown>; attachmentIds: string[] };
}

/** Whether the message was not erased while the provider was asked. What the transaction then writes an erasure waits for. */
export async function isKept(tx: Sql, { id }: SendingMessage): Promise<boolean> {
  const rows = await tx`select id from messages where id = ${id} and deleted_at is null`;
  return rows.length === 1;
}

/** The parts of this generation that are kept: split once, so that a retry sends what is left of the same parts. */
export async function keptParts(tx: Sql, message: SendingMessage): Promise<PartRow[]> {
  if (message.parts !== null) return message.parts;
  if (message.generation === 1) return [];
  await carryOver(tx, message);
  return await tx<PartRow[]>`
    select n, status, payload from message_parts
    where message_id = ${message.id} and generation = ${message.generation} order by n`;
}

/** A retry by hand begins with the parts as they were: those that the provider took stay taken. */
async function carryOver(tx: Sql, { id, generation }: SendingMessage): Promise<void> {
  await tx`
    insert into message_parts (message_id, generation, n, payload, external_id, status, sent_at)
    select message_id, ${generation}, n, payload, case when taken then external_id end,
      case when taken then status else 'queued' end, case when taken then sent_at end
    from (select *, status in ('sent', 'delivered', 'read') as taken from message_parts) p
    where message_id = ${id} and exists (select from messages where id = ${id} and deleted_at is null) and generation = (
      select max(generation) from message_parts where message_id = ${id} and generation < ${generation})
    on conflict do nothing`;
}

interface Splitting {
  loaded: LoadedChannel;
  attachments: OutboundAttachment[];
  correspondence: Correspondence | undefined;
}

/** Splits a message for its channel; throws what the adapter throws when it cannot. */
export async function splitIntoParts(
  tx: Sql,
  message: SendingMessage,
  { loaded, attachments, correspondence }: Splitting,
): Promise<PartRow[]> {
  const outbound = { ...(await outboundMessage(tx, message, attachments)), correspondence };
  return loaded.adapter.split(outbound, loaded.channel).map((part) => ({
    n: part.n,
    status: 'queued',
    payload: { payload: part.payload, attachmentIds: part.attachments.map((it) => it.id) },
  }));
}

/** The part as the adapter made it, going to where the thread is now. */
export function partOf(row: PartRow, message: SendingMessage, attachments: OutboundAttachment[]): Part {
  return {
    n: row.n,
    generation: message.generation,
    threadKey: message.thread_key ?? '',
    payload: row.payload.payload,
    attachments: row.payload.attachmentIds.flatMap((id) => attachments.filter((it) => it.id === id)),
  };
}

/** The message as its adapter gets it. */
export async function outboundMessage(
  tx: Sql,
  message: SendingMessage,
  attachments: OutboundAttachment[],
): Promise<OutboundMessage> {
  return {
    id: message.id,
    conversationId: message.conversation_id,
    threadKey: message.thread_key ?? '',
    type: message.type,
    content: message.content,
    html: message.html ?? undefined,
    card: message.card ?? undefined,
    attachments,
    email: message.email ?? undefined,
    template: message.template ?? undefined,
    replyToExternalId: await externalIdOf(tx, message.reply_to_id),
    metadata: message.metadata,
  };
}

/** What the provider calls the message that this one answers: its own id, or that of our first part. */
async function externalIdOf(tx: Sql, messageId: string | null): Promise<string | undefined> {
  if (messageId === null) return undefined;
  const [row] = await tx<{ external_id: string | null }[]>`
    select coalesce(m.external_id, (
      select p.external_id from message_parts p
      where p.message_id = m.id and p.external_id is not null order by p.generation desc, p.n limit 1)) as external_id
    from messages m where m.id = ${messageId}`;
  return row?.external_id ?? undefined;
}
