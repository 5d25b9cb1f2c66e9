import { changeConversation } from '../conversations/change-conversation.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { newId } from '../id.ts';
import { type Author, SYSTEM } from '../messages/author.ts';
import type { ConversationRow } from '../views/conversation.ts';

export interface RatingRow {
  id: string;
  business_id: string;
  conversation_id: string;
  channel_id: string;
  agent_id: string | null;
  message_id: string | null;
  asked_at: Date;
  expires_at: Date;
  score: number | null;
  comment: string | null;
  answered_at: Date | null;
  source: 'chat' | 'page' | 'api' | null;
}

export interface Answer {
  score: number;
  comment?: string | undefined;
  source: 'chat' | 'page' | 'api';
  /** Who passes it on, where that is not the customer. */
  by?: Author;
}

const OPEN_FOR_DAYS = 30;

/** A question that waits for its answer, about whoever has the conversation now, or else answered last. */
export async function askForRating(tx: Sql, conversation: ConversationRow): Promise<RatingRow> {
  const [row] = await tx<[RatingRow]>`
    insert into ratings (id, business_id, conversation_id, channel_id, channel_type, agent_id, tags, expires_at)
    values (${newId()}, ${conversation.business_id}, ${conversation.id}, ${conversation.channel_id},
      ${conversation.channel_type}, coalesce(${conversation.assignee_id}::uuid, (
        select sender_id from messages
        where conversation_id = ${conversation.id} and direction = 'outbound' and sender_type = 'agent' and seq is not null
        order by seq desc limit 1)),
      ${conversation.tags}, now() + make_interval(days => ${OPEN_FOR_DAYS}))
    returning *`;
  return row;
}

/** The conversation's ratings, the newest first. */
export function ratingsOf(sql: Sql, conversationId: string): Promise<RatingRow[]> {
  return sql<RatingRow[]>`select * from ratings where conversation_id = ${conversationId} order by id desc`;
}

/** Whether it can still be answered. */
export function isOpen({ score, expires_at }: RatingRow): boolean {
  return score === null && expires_at.getTime() > Date.now();
}

/** Answers a question about a locked conversation; undefined where it was answered before, or its time is over. */
export async function answerRating(
  tx: Sql,
  conversation: ConversationRow,
  { id, score, comment, source, by = SYSTEM }: Answer & { id: string },
): Promise<RatingRow | undefined> {
  const [row] = await tx<RatingRow[]>`
    update ratings set score = ${score}, comment = ${comment ?? null}, answered_at = clock_timestamp(), source = ${source}
    where id = ${id} and conversation_id = ${conversation.id} and score is null and expires_at > clock_timestamp()
    returning *`;
  if (row === undefined) return undefined;
  const csat = { score, comment: comment ?? null };
  await changeConversation(tx, conversation, {
    by,
    set: {},
    activity: {
      content: `Rated ${score} of 5${comment === undefined ? '' : `: ${comment}`}`,
      metadata: { activity: 'rated', score },
    },
    events: ['conversation.updated'],
    facts: { changed: ['csat'], csat },
  });
  return row;
}

/** Notes what the business itself was told of a locked conversation: for each end of it one score. */
export async function rate(tx: Sql, conversation: ConversationRow, answer: Answer): Promise<RatingRow> {
  const [newest] = await ratingsOf(tx, conversation.id);
  const ended = conversation.resolved_at ?? conversation.closed_at ?? new Date(0);
  if (newest?.answered_at != null && newest.answered_at >= ended) {
    throw new AppError('conflict', 'It was rated already; once more after it is resolved again.', {
      extra: { csat_id: newest.id, score: newest.score },
    });
  }
  const open = newest !== undefined && isOpen(newest) ? newest : await askForRating(tx, conversation);
  const rated = await answerRating(tx, conversation, { ...answer, id: open.id });
  if (rated === undefined) throw new Error('an open question took no answer');
  return rated;
}
