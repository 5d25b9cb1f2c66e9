import { allDrafts } from '../ai/drafts.ts';
import { ratingsOf } from '../csat/ratings.ts';
import type { Sql } from '../database/connect.ts';
import { NO_ID } from '../id.ts';
import { viewMessages } from '../messages.ts';
import { type ConversationRow, type ConversationView, viewConversation } from '../views/conversation.ts';
import type { DraftView } from '../views/draft.ts';
import type { MessageRow, MessageView } from '../views/message.ts';
import { type RatingView, viewRating } from '../views/rating.ts';
import type { Person } from './erasure/person.ts';

/** An address of the person with what the channel said of them. */
export interface ExportedIdentity {
  channel_id: string;
  channel_type: string;
  channel_name: string;
  kind: string;
  address: string;
  profile: Record<string, unknown>;
  created_at: Date;
}

/** Every address that the person has on a channel. */
export function exportIdentities(sql: Sql, { customers }: Person) {
  return sql<ExportedIdentity[]>`
    select i.channel_id, c.type as channel_type, c.name as channel_name, i.kind, i.address, i.profile, i.created_at
    from identities i join channels c on c.id = i.channel_id
    where i.customer_id = any(${customers}) order by i.created_at, i.id`;
}

interface ExportedConsent {
  channel_id: string;
  address: string;
  consent: string;
  source: string;
  said_at: string;
}

/** What the person said about being written to. */
export async function exportConsents(sql: Sql, { customers }: Person): Promise<ExportedConsent[]> {
  const rows = await sql<(Omit<ExportedConsent, 'said_at'> & { said_at: Date })[]>`
    select s.channel_id, s.address, s.consent, s.source, s.said_at
    from identities i join consents s using (channel_id, address)
    where i.customer_id = any(${customers}) order by s.said_at, s.id`;
  return rows.map((one) => ({ ...one, said_at: one.said_at.toISOString() }));
}

/** A conversation of the person with what they thought of it, its messages page by page. */
export interface ExportedConversation {
  conversation: ConversationView & { ratings: RatingView[]; drafts?: DraftView[] };
  pages: AsyncIterable<MessageView[]>;
}

interface ExportOptions {
  /** Notes, the timeline and what an AI suggested too. */
  internal: boolean;
}

/** The person's conversations in the order they began, and those of others in which they wrote. */
export async function* exportConversations(
  sql: Sql,
  person: Person,
  { internal }: ExportOptions,
): AsyncGenerator<ExportedConversation> {
  const rows = await sql<ConversationRow[]>`
    select * from conversations where id = any(${person.conversations}) or id in (
      select conversation_id from messages
      where business_id = ${person.businessId} and customer_id = any(${person.customers}) and direction = 'inbound')
    order by created_at, id`;
  for (const row of rows) {
    const isOwn = person.conversations.includes(row.id);
    const ratings = isOwn ? (await ratingsOf(sql, row.id)).map(viewRating) : [];
    const drafts = isOwn && internal ? { drafts: await allDrafts(sql, row) } : {};
    const pages = messagePages(sql, row, { person, internal });
    yield { conversation: { ...viewConversation(row, null), ratings, ...drafts }, pages };
  }
}

const PAGE = 200;

interface Wanted extends ExportOptions {
  person: Person;
}

/** What was said with the person; never what others wrote. */
async function* messagePages(
  sql: Sql,
  { id }: ConversationRow,
  { person, internal }: Wanted,
): AsyncGenerator<MessageView[]> {
  const isOwn = person.conversations.includes(id);
  for (let after = 0; ; ) {
    const rows = await sql<MessageRow[]>`
      select * from messages
      where conversation_id = ${id} and seq > ${after}
        and (direction = 'inbound' and customer_id = any(${person.customers})
          or direction = 'outbound' and ${isOwn} or direction = 'internal' and ${isOwn && internal})
      order by seq limit ${PAGE}`;
    const last = rows.at(-1);
    if (last === undefined) break;
    yield await viewMessages(sql, rows);
    after = last.seq ?? after;
  }
  if (isOwn) yield* unsentPages(sql, id);
}

/** What is still to be sent, or never was, has no place in the order. */
async function* unsentPages(sql: Sql, conversationId: string): AsyncGenerator<MessageView[]> {
  for (let after = NO_ID; ; ) {
    const rows = await sql<MessageRow[]>`
      select * from messages
      where conversation_id = ${conversationId} and seq is null and id > ${after} order by id limit ${PAGE}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield await viewMessages(sql, rows);
    after = last.id;
  }
}
