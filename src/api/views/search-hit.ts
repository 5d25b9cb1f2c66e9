import { z } from 'zod';
import type { Pool } from '../../core/database/connect.ts';
import { fold } from '../../core/search/fold.ts';
import { readQuery } from '../../core/search/query.ts';
import type { Hit } from '../../core/search/search.ts';
import { CONVERSATION_STATUSES } from '../../core/views/conversation.ts';

/** What can be found. */
export const KINDS = ['message', 'conversation', 'customer'] as const;

export const hitView = z
  .object({
    kind: z.enum(KINDS),
    id: z.string().meta({ description: 'Of the message, the conversation or the customer.' }),
    excerpt: z.string().nullable().meta({ description: 'Of a message, what stands around the words.' }),
    at: z.string().meta({
      description: 'When it was written, the conversation began, or the customer was last changed.',
    }),
    conversation: z
      .object({
        id: z.string(),
        status: z.enum(CONVERSATION_STATUSES),
        channel_id: z.string(),
        channel_type: z.string(),
        subject: z.string().nullable(),
        tags: z.array(z.string()),
        assignee_id: z.string().nullable(),
      })
      .nullable(),
    customer: z
      .object({
        id: z.string(),
        name: z.string().nullable(),
        email: z.string().nullable(),
        phone: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'SearchHit' });

type HitView = z.infer<typeof hitView>;

interface Found {
  hits: Hit[];
  q: string;
  businessId: string;
}

type FoundConversation = NonNullable<HitView['conversation']> & { customer_id: string | null };

/** What the index says is there, as the rows are now: what went meanwhile is left out. */
export async function viewHits(pool: Pool, { hits, q, businessId }: Found): Promise<HitView[]> {
  const ids = (of: (hit: Hit) => string | null) => [...new Set(hits.flatMap((hit) => of(hit) ?? []))];
  const conversationIds = ids((hit) => hit.conversation_id);
  const [messages, conversations, customers] = await Promise.all([
    pool<{ id: string; content: string }[]>`
      select id, content from messages
      where id = any(${ids((hit) => (hit.kind === 'message' ? hit.id : null))}) and business_id = ${businessId} and deleted_at is null`,
    pool<FoundConversation[]>`
      select id, status, channel_id, channel_type, subject, tags, assignee_id, customer_id from conversations
      where id = any(${conversationIds}) and business_id = ${businessId}`,
    pool<NonNullable<HitView['customer']>[]>`
      select id, name, email, phone from customers
      where id = any(${ids((hit) => (hit.kind === 'customer' ? hit.customer_id : null))}::uuid[]
          || array(select customer_id from conversations where id = any(${conversationIds})))
        and business_id = ${businessId} and deleted_at is null`,
  ]);
  const messageOf = byId(messages);
  const conversationOf = byId(conversations);
  const customerOf = byId(customers);
  return hits.flatMap((hit) => {
    const message = messageOf.get(hit.id);
    const found = conversationOf.get(hit.conversation_id ?? '');
    const customer = customerOf.get(customerIdOf(hit, found)) ?? null;
    const isGone = { message: message === undefined, conversation: false, customer: customer === null };
    if (isGone[hit.kind]) return [];
    const excerpt = message === undefined ? null : excerptOf(message.content, q);
    const conversation = found === undefined ? null : withoutCustomer(found);
    return [{ kind: hit.kind, id: hit.id, excerpt, at: hit.at.toISOString(), conversation, customer }];
  });
}

/** The conversation may have passed on to somebody else since it was indexed. */
function customerIdOf(hit: Hit, found: FoundConversation | undefined): string {
  return (hit.kind === 'customer' ? hit.customer_id : found?.customer_id) ?? '';
}

function withoutCustomer({ customer_id, ...conversation }: FoundConversation) {
  return conversation;
}

function byId<Row extends { id: string }>(rows: readonly Row[]): Map<string, Row> {
  return new Map(rows.map((row) => [row.id, row]));
}

const AROUND = 80;

/** The words with what stands around them; the beginning where they stand in an attachment's name. */
function excerptOf(content: string, q: string): string {
  const from = Math.max(0, placeOf(q, content) - AROUND);
  const text = content
    .slice(from, from + AROUND + q.length + AROUND)
    .toWellFormed()
    .trim();
  return `${from > 0 ? '…' : ''}${text}${from + text.length < content.trim().length ? '…' : ''}`;
}

/** Where the words stand as they were typed, else the longest of them that is there. */
function placeOf(q: string, content: string): number {
  const plain = content.toLowerCase();
  const place = plain.indexOf(fold(q));
  if (place >= 0) return place;
  let pieces: Piece[] | undefined;
  for (const word of wordsOf(q)) {
    const place = plain.indexOf(word);
    if (place >= 0) return place;
    // Folding a long text takes longer than all the rest: only what is written in another way needs it.
    pieces ??= piecesOf(content);
    const found = pieces.find(({ folded }) => folded.includes(word));
    if (found !== undefined) return found.index + unfolded(found.text, found.folded.indexOf(word));
  }
  return 0;
}

/** What has to be there, the longest first. */
function wordsOf(q: string): string[] {
  const terms = readQuery(q).flat();
  const words = terms.filter(({ isExcluded }) => !isExcluded).flatMap((term) => term.words);
  return words.sort((one, other) => other.length - one.length);
}

interface Piece {
  text: string;
  index: number;
  folded: string;
}

/** Some words at a time: folding makes each piece shorter or longer. */
function piecesOf(content: string): Piece[] {
  const pieces = content.matchAll(/\S+(?:\s+\S+){0,49}/g);
  return [...pieces].map(({ 0: text, index }) => ({ text, index, folded: fold(text) }));
}

/** Where in a text stands what is at this place of its folded form. */
function unfolded(text: string, place: number): number {
  let behind = 0;
  for (const { 0: word, index } of text.matchAll(/\S+/g)) {
    const { length } = fold(word);
    if (length > 0 && place < behind + length)
      return index + Math.floor(((place - behind) / length) * word.length);
    behind += length === 0 ? 0 : length + 1;
  }
  return 0;
}
