import { attachToMessage } from '../attachments/attach.ts';
import { conversationNotFound } from '../conversations.ts';
import type { Sql } from '../database/connect.ts';
import { recordset } from '../database/recordset.ts';
import { AppError } from '../errors.ts';
import type { NewEvent } from '../events.ts';
import { attachmentsOf, viewOneMessage } from '../messages.ts';
import { type MessageRow, type MessageView, viewMessage } from '../views/message.ts';
import { writeCounted } from './count-message.ts';
import type { WritingTools } from './draft.ts';
import { type Entry, type Plan, planMessage } from './plan-message.ts';
import { standingsOf } from './standing.ts';
import { eventsOf, sentMessage } from './written-events.ts';

interface Written {
  /** One for each entry, as the API shows it. */
  views: MessageView[];
  events: NewEvent[];
}

/** Stores what is to be written in conversations that this transaction has locked: the lock gives out `seq`. */
export async function writeMessages(
  tx: Sql,
  entries: readonly Entry[],
  tools: WritingTools,
): Promise<Written> {
  const standings = await standingsOf(tx, [...new Set(entries.map((entry) => entry.conversationId))]);
  const outcomes: (Plan | MessageView)[] = [];
  for (const entry of entries) {
    const standing = standings.get(entry.conversationId);
    if (standing === undefined) throw conversationNotFound();
    const before = outcomes.find((it) => isRepeated(entry, it)) ?? (await findRepeated(tx, entry));
    const outcome = before ?? (await planMessage(tx, standing, { entry, tools }));
    if (before === undefined && isPlan(outcome)) standings.set(standing.id, outcome.after);
    outcomes.push(outcome);
  }
  const plans = [...new Set(outcomes.filter(isPlan))];
  if (plans.length > 0) await write(tx, plans, tools);
  return {
    views: outcomes.map((it) => (isPlan(it) ? viewOf(it) : it)),
    events: plans.flatMap(eventsOf),
  };
}

function isPlan(outcome: Plan | MessageView): outcome is Plan {
  return 'entry' in outcome;
}

/** A client that sends the same `client_message_id` again means the same message. */
function isRepeated({ conversationId, draft }: Entry, before: Plan | MessageView): boolean {
  if (draft.clientMessageId === undefined || !isPlan(before)) return false;
  const { message } = before;
  return message.client_message_id === draft.clientMessageId && message.conversation_id === conversationId;
}

async function findRepeated(tx: Sql, { conversationId, draft }: Entry): Promise<MessageView | undefined> {
  if (draft.clientMessageId === undefined) return undefined;
  const [row] = await tx<MessageRow[]>`
    select * from messages
    where conversation_id = ${conversationId} and client_message_id = ${draft.clientMessageId}
      and direction <> 'inbound'`;
  return row === undefined ? undefined : viewOneMessage(tx, row);
}

async function write(tx: Sql, plans: readonly Plan[], tools: WritingTools): Promise<void> {
  const counted = new Map(
    plans.flatMap(({ message, after }) => (message.seq === null ? [] : [[after.id, after]])),
  );
  await Promise.all([insertMessages(tx, plans), counted.size > 0 && writeCounted(tx, [...counted.values()])]);
  for (const plan of plans) {
    if ((plan.entry.draft.attachments ?? []).length > 0) await attachFiles(tx, plan, tools);
    refuseTooLarge(plan);
  }
}

/** What is sent already has its one part, so that receipts find it by our own id. */
function insertMessages(tx: Sql, plans: readonly Plan[]) {
  const rows = plans.map(({ message, isSent }) => (isSent ? sentMessage(message) : message));
  return tx`
    with written as (
      insert into messages (id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type,
        sender_id, sender_name, type, content, html, card, email, template, metadata, reply_to_id, client_message_id,
        status, send_at, cancel_on_reply, next_attempt_at, created_at, sent_at)
      select id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type,
        sender_id, sender_name, type, content, html, card, email, template, metadata, reply_to_id, client_message_id,
        status, send_at, cancel_on_reply, next_attempt_at, created_at, sent_at
      from json_to_recordset(${recordset(tx, rows)}) as r(id uuid, business_id uuid, conversation_id uuid,
        channel_id uuid, customer_id uuid, seq bigint, direction text, sender_type text, sender_id uuid,
        sender_name text, type text, content text, html text, card jsonb, email jsonb, template jsonb, metadata jsonb,
        reply_to_id uuid, client_message_id text, status text, send_at timestamptz, cancel_on_reply boolean,
        next_attempt_at timestamptz, created_at timestamptz, sent_at timestamptz)
      returning id, channel_id, status, sent_at
    ), parts as (
      insert into message_parts (message_id, generation, n, payload, external_id, status, sent_at)
      select id, 1, 0, '{}', id::text, status, sent_at from written where status = 'sent'
    )
    insert into provider_ids (channel_id, external_id, message_id, part, best_status, status_at)
    select channel_id, id::text, id, 0, status, sent_at from written where status = 'sent'`;
}

async function attachFiles(tx: Sql, plan: Plan, { secrets, attachments }: WritingTools): Promise<void> {
  const { message, entry, loaded } = plan;
  const { id, business_id: businessId, conversation_id: conversationId } = message;
  plan.fetches = await attachToMessage(
    tx,
    { id, businessId, conversationId },
    {
      drafts: entry.draft.attachments ?? [],
      secrets,
      idOfUrl: attachments.idOfUrl,
      limits: loaded?.adapter.limits,
    },
  );
  plan.files = (await attachmentsOf(tx, [message])).get(id) ?? [];
}

/** Of files that are still to be fetched nobody knows: what they are too much by is found when it is sent. */
function refuseTooLarge({ loaded, message, files }: Plan): void {
  if (loaded?.adapter.sizeRefusal === undefined) return;
  const bytes = files.reduce((sum, file) => sum + (file.size_bytes ?? 0), 0);
  const words = Buffer.byteLength(message.content) + Buffer.byteLength(message.html ?? '');
  const refusal = loaded.adapter.sizeRefusal(bytes + words, loaded.channel.settings);
  if (refusal !== undefined) throw new AppError('payload_too_large', refusal);
}

/** What waits behind another message waits as long as that one. */
function viewOf({ message, before: { blocker }, files }: Plan): MessageView {
  if (message.status !== 'queued' || blocker === null) return viewMessage(message, { attachments: files });
  const waiting = { ...message, next_attempt_at: blocker.next_attempt_at };
  return viewMessage(waiting, { attachments: files, blockedBy: blocker.id });
}
