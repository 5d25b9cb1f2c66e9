import { cardText } from '../cards.ts';
import type { Pool, Sql } from '../database/connect.ts';
import { isAway, type Transact } from '../database/transact.ts';
import type { Card } from '../envelope.ts';
import { AppError } from '../errors.ts';
import { startReader } from '../events/reader.ts';
import { isInWindow, nextWindow, type Window } from '../events/window.ts';
import type { Log } from '../log.ts';
import { SYSTEM } from '../messages/author.ts';
import { type Draft, queueMessage, type Writing } from '../messages/queue-message.ts';
import type { Secrets } from '../secrets.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { Wake } from '../wake.ts';
import { answerRating, askForRating, isOpen, type RatingRow, ratingsOf } from './ratings.ts';
import type { CsatSettings } from './settings.ts';

interface AskingOptions extends Omit<Writing, 'by'> {
  pool: Pool;
  transact: Transact;
  wake: Wake;
  log: Log;
  /** Where the page of a link is reached; undefined where nobody knows. */
  publicUrl(): string | undefined;
}

/** Asks customers how they were served once their conversation is resolved, and notes what they choose: a reader of events. */
export function startAsking(options: AskingOptions): { stop(): Promise<void> } {
  const { pool } = options;
  return startReader({ ...options, name: 'csat' }, async (after) => {
    const window = await nextWindow(pool, after);
    if (!(await isNeeded(pool))) return { upTo: window.newest, hasMore: false, isIdle: true };
    for (const occasion of await readOccasions(pool, window)) await follow(options, occasion);
    return { upTo: window.upTo, hasMore: window.hasMore };
  });
}

async function isNeeded(pool: Pool): Promise<boolean> {
  const [row] = await pool<[{ is_needed: boolean }]>`
    select exists (select 1 from channels where (csat ->> 'is_enabled')::boolean)
      or exists (select 1 from businesses where (csat ->> 'is_enabled')::boolean)
      or exists (select 1 from ratings where message_id is not null) as is_needed`;
  return row.is_needed;
}

interface Occasion {
  conversation_id: string;
  /** What was answered, and the number chosen; null where a conversation was resolved. */
  rating_id: string | null;
  number: number | null;
}

/** A conversation was resolved, or a customer chose one of the answers. */
function readOccasions(pool: Pool, window: Window): Promise<Occasion[]> {
  return pool<Occasion[]>`
    select coalesce(r.conversation_id, e.conversation_id) as conversation_id, r.id as rating_id,
      (m.metadata -> 'choice' ->> 'number')::int as number
    from events e
    left join messages m on e.type = 'message.received' and m.id = e.message_id and m.metadata ? 'choice'
    left join ratings r on r.message_id = (m.metadata -> 'choice' ->> 'message_id')::uuid
    where ${isInWindow(pool, window)}
      and (e.type = 'conversation.resolved' or e.type = 'message.received' and r.id is not null)
    order by e.seq`;
}

async function follow(options: AskingOptions, occasion: Occasion): Promise<void> {
  try {
    await options.transact(async (tx) => {
      const [conversation] = await tx<ConversationRow[]>`
        select * from conversations where id = ${occasion.conversation_id} for update`;
      if (conversation === undefined) return;
      const { rating_id: id, number } = occasion;
      if (id === null) await ask(tx, conversation, options);
      else if (number !== null) await answerRating(tx, conversation, { id, score: number, source: 'chat' });
    });
  } catch (error) {
    if (isAway(error)) throw error;
    // A closed window, a STOP, nobody to write to: then nobody is asked, and the others are.
    if (error instanceof AppError) return;
    options.log.error({ err: error, conversation: occasion.conversation_id }, 'asking for a rating failed');
  }
}

async function ask(tx: Sql, conversation: ConversationRow, options: AskingOptions): Promise<void> {
  if (conversation.status !== 'resolved' || conversation.merged_into_id !== null) return;
  const settings = await settingsOf(tx, conversation);
  if (settings?.is_enabled !== true || !(await wasServed(tx, conversation))) return;
  const [newest] = await ratingsOf(tx, conversation.id);
  if (newest !== undefined && (await isStillAsked(tx, conversation, newest))) return;
  const rating = await askForRating(tx, conversation);
  const draft = await draftOf(tx, settings, { id: rating.id, channelId: conversation.channel_id, options });
  if (draft === undefined) throw new AppError('unavailable', 'There is no address to ask at.');
  const { id } = await queueMessage(tx, conversation, { draft, by: SYSTEM, ...options });
  await tx`update ratings set message_id = ${id} where id = ${rating.id}`;
  // What is typed to answer it does not begin the conversation again.
  await tx`
    update conversations set open_card = open_card || '{"is_rating": true}' where id = ${conversation.id}`;
}

/**
 * Who was asked about this end is not asked again, nor who has said nothing since they were asked; where they have answered,
 * or may no longer, what we wrote to them since is something to ask about too.
 */
async function isStillAsked(
  tx: Sql,
  { id, resolved_at }: ConversationRow,
  newest: RatingRow,
): Promise<boolean> {
  if (resolved_at !== null && newest.asked_at >= resolved_at) return true;
  const ours = isOpen(newest) ? tx`` : tx`or direction = 'outbound' and sender_type <> 'system'`;
  const said = await tx`
    select 1 from messages
    where conversation_id = ${id} and created_at > ${newest.asked_at} and (direction = 'inbound' ${ours})
      and not metadata @> '{"automatic": true}'
      and metadata -> 'choice' ->> 'message_id' is distinct from ${newest.message_id} limit 1`;
  return said.length === 0;
}

async function settingsOf(tx: Sql, { channel_id }: ConversationRow): Promise<CsatSettings | null> {
  const [row] = await tx<{ csat: CsatSettings | null }[]>`
    select coalesce(c.csat, b.csat) as csat from channels c join businesses b on b.id = c.business_id
    where c.id = ${channel_id} and c.is_active and c.deleted_at is null`;
  return row?.csat ?? null;
}

/** Whether a person wrote and was answered: who is asked about nothing is only bothered. */
async function wasServed(tx: Sql, { id }: ConversationRow): Promise<boolean> {
  const [row] = await tx<[{ was_served: boolean }]>`
    select exists (select 1 from messages where conversation_id = ${id} and direction = 'inbound'
        and not metadata @> '{"automatic": true}')
      and exists (select 1 from messages where conversation_id = ${id} and direction = 'outbound'
        and (sender_type <> 'system' or metadata ? 'ai')) as was_served`;
  return row.was_served;
}

interface Asked {
  id: string;
  channelId: string;
  options: AskingOptions;
}

/** A card with the answers; a link where the channel is for letters. */
async function draftOf(
  tx: Sql,
  { question, labels }: CsatSettings,
  asked: Asked,
): Promise<Draft | undefined> {
  const { channels, secrets, publicUrl } = asked.options;
  const loaded = await channels.load(asked.channelId, tx);
  if (loaded === undefined) return undefined;
  if (loaded.adapter.asksByLink !== true) {
    const actions = labels.map((label, index) => ({ label, action: `csat:${index + 1}` }));
    const card: Card = { title: question, actions, layout: 'quick_replies' };
    return { content: cardText(card), card };
  }
  const url = publicUrl();
  return url === undefined ? undefined : { content: `${question}\n\n${linkTo(url, asked.id, secrets)}` };
}

function linkTo(publicUrl: string, ratingId: string, secrets: Secrets): string {
  return `${publicUrl}/csat/${secrets.seal('csat', ratingId)}`;
}
