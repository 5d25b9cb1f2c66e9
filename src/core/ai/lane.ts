import type { Attachments } from '../attachments.ts';
import { lockConversation } from '../conversations.ts';
import type { Pool, Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { AppError } from '../errors.ts';
import { laneKey } from '../lanes/lane-key.ts';
import { type LaneKind, type Lease, leaseHeld, wakeLanes } from '../lanes.ts';
import type { Log } from '../log.ts';
import type { Writing } from '../messages/queue-message.ts';
import type { Secrets } from '../secrets.ts';
import type { ConversationRow } from '../views/conversation.ts';
import { type Answer, unusable } from './answer.ts';
import { type Ask, askHook } from './ask.ts';
import { type AiHookRow, findAiHook } from './hook.ts';
import { writeQuestion } from './question.ts';
import { settle } from './settle.ts';
import { isTakenOver } from './silence.ts';

export interface AiOptions extends Omit<Writing, 'by'> {
  pool: Pool;
  transact: Transact;
  secrets: Secrets;
  attachments: Attachments;
  ask: Ask;
  log: Log;
}

/** A customer's message that is to be answered. */
interface Turn {
  id: string;
  business_id: string;
  conversation_id: string;
  message_id: string;
  state: 'waiting' | 'asking';
  last_seq: number | null;
  /** An earlier answer had seen the message already. */
  is_answered: boolean;
}

// Two machines that answer each other would never end by themselves.
const ANSWERS_AN_HOUR = 30;
// One slow program of a business must leave room for the lanes of the others.
const QUESTIONS_AT_ONCE = 20;
const ROOM_POLL_MS = 500;

/** Asks a business's program for an answer to its customers, one conversation at a time, each message once. */
export function createAiLane(options: AiOptions): LaneKind {
  const takeRoom = createRooms();
  return {
    name: 'ai',
    async work(conversationId, lease) {
      if (lease.draining || lease.signal.aborted) return new Date();
      const turn = await newestTurn(options.pool, conversationId, lease);
      if (turn === undefined) return null;
      const leave = takeRoom(turn.business_id);
      if (leave === undefined) return new Date(Date.now() + ROOM_POLL_MS);
      await takeTurn(options, turn, lease).finally(leave);
      // What was written meanwhile has woken the lane.
      return null;
    },
  };
}

async function takeTurn(options: AiOptions, turn: Turn, lease: Lease): Promise<void> {
  const hook = await findAiHook(options.pool, turn.business_id);
  if (hook === undefined) return drop(options.pool, turn, 'silent');
  if (turn.state === 'waiting') return answer(options, { turn, hook, lease });
  return conclude(options, { turn, hook, lease }, unusable('it was interrupted'));
}

/** Room for a question of a business, to be given back; undefined while there is none. */
function createRooms(): (businessId: string) => (() => void) | undefined {
  const underWay = new Map<string, number>();
  return (businessId) => {
    const others = underWay.get(businessId) ?? 0;
    if (others >= QUESTIONS_AT_ONCE) return undefined;
    underWay.set(businessId, others + 1);
    return () => {
      const left = (underWay.get(businessId) ?? 1) - 1;
      if (left === 0) underWay.delete(businessId);
      else underWay.set(businessId, left);
    };
  };
}

/** Of several messages the newest is answered: the question carries those before it, and what came while it was written. */
async function newestTurn(pool: Pool, conversationId: string, lease: Lease): Promise<Turn | undefined> {
  const turns = await pool<Turn[]>`
    select t.*, exists (
        select 1 from ai_turns o
        where o.conversation_id = t.conversation_id and o.last_seq >= m.seq
          and o.state in ('sent', 'drafted', 'accepted', 'discarded', 'handed_off', 'silent', 'failed')) as is_answered
    from ai_turns t join messages m on m.id = t.message_id
    where t.conversation_id = ${conversationId} and t.state in ('waiting', 'asking') and not t.on_demand
    order by m.seq desc`;
  const newest = turns[0]?.is_answered === true ? undefined : turns[0];
  const older = turns.filter((turn) => turn !== newest);
  const ids = older.map(({ id }) => id);
  if (ids.length > 0)
    await pool`
      update ai_turns set state = 'superseded', finished_at = now()
      where id = any(${ids}) and state in ('waiting', 'asking') and ${leaseHeld(pool, lease)}`;
  return newest;
}

interface Answering {
  turn: Turn;
  hook: AiHookRow;
  lease: Lease;
}

async function answer(options: AiOptions, answering: Answering): Promise<void> {
  const { pool } = options;
  const { turn, hook, lease } = answering;
  const { id, conversation_id: conversationId } = turn;
  if (!(await mayAnswer(pool, turn, hook))) return drop(pool, turn, 'silent');
  const question = await writeQuestion(pool, { ...options, id, hook, conversationId, mode: hook.mode });
  const asked = { ...answering, turn: { ...turn, last_seq: question.lastSeq } };
  if (!(await begin(pool, asked))) return;
  if (await answersTooMuch(pool, conversationId)) return conclude(options, asked, TOO_MUCH);
  const newer = new AbortController();
  void watchForNewer(pool, asked, newer);
  const signal = AbortSignal.any([lease.signal, newer.signal]);
  const said = await askHook(options, { hook, id, body: question.body, signal });
  newer.abort();
  // The process ends, or the customer wrote more: whoever comes next finds the question cut off.
  if (said !== undefined) await conclude(options, asked, said);
}

/** Not where people have taken over, nor what is over: a rating is a message too, and asks nothing. */
async function mayAnswer(pool: Pool, { conversation_id }: Turn, { mode }: AiHookRow): Promise<boolean> {
  const [conversation] = await pool<ConversationRow[]>`
    select * from conversations where id = ${conversation_id} and status not in ('resolved', 'closed')`;
  return conversation !== undefined && (mode === 'assist' || !(await isTakenOver(pool, conversation)));
}

/** Lets an answer go that would come too late: the newer message is asked about with all before it. */
async function watchForNewer(pool: Pool, { turn, lease }: Answering, newer: AbortController): Promise<void> {
  while (!newer.signal.aborted && !lease.signal.aborted) {
    await lease.woken();
    if (newer.signal.aborted) return;
    const rows = await pool`
      select 1 from ai_turns t join messages m on m.id = t.message_id
      where t.conversation_id = ${turn.conversation_id} and t.state = 'waiting' and m.seq > ${turn.last_seq} limit 1`.catch(
      () => [],
    );
    if (rows.length > 0) newer.abort();
  }
}

/** Noted before it leaves: a crash after that asks no second time. */
async function begin(pool: Pool, { turn, hook, lease }: Answering): Promise<boolean> {
  const rows = await pool`
    update ai_turns set state = 'asking', mode = ${hook.mode}, last_seq = ${turn.last_seq}, asked_at = now()
    where id = ${turn.id} and state = 'waiting' and ${leaseHeld(pool, lease)} returning id`;
  return rows.length === 1;
}

const TOO_MUCH: Answer = { reply: null, confidence: 0, needsHandoff: true, reason: 'too_many_answers' };

async function answersTooMuch(pool: Pool, conversationId: string): Promise<boolean> {
  const rows = await pool`
    select 1 from ai_turns
    where conversation_id = ${conversationId} and state = 'sent' and finished_at > now() - interval '1 hour'
    limit ${ANSWERS_AN_HOUR}`;
  return rows.length === ANSWERS_AN_HOUR;
}

/** Does what the answer says. A message that may not be sent, such as one after the window, asks for a person too. */
async function conclude(options: AiOptions, answering: Answering, answer: Answer): Promise<void> {
  try {
    await settleOnce(options, answering, answer);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    const refused = { ...answer, needsHandoff: true, reason: error.code };
    await settleOnce(options, answering, refused);
  }
  const { turn } = answering;
  options.log.info(
    { turn: turn.id, conversation: turn.conversation_id, failure: answer.failure },
    'AI answered',
  );
}

async function settleOnce(
  { transact, ...writing }: AiOptions,
  { turn, hook, lease }: Answering,
  answer: Answer,
): Promise<void> {
  await transact(async (tx) => {
    const conversation = await lockConversation(tx, turn.business_id, turn.conversation_id);
    const current = await findAiHook(tx, turn.business_id);
    if (!(await isAsking(tx, turn, lease))) return;
    if (current === undefined) return drop(tx, turn, 'refused');
    // Who waits is answered as it is wanted now.
    if (current.mode !== hook.mode) return askAgain(tx, turn);
    const { last_seq: lastSeq, id: turnId } = turn;
    await settle(tx, conversation, { turnId, mode: hook.mode, lastSeq: lastSeq ?? 0, answer, writing });
  });
}

async function askAgain(tx: Sql, { id, conversation_id }: Turn): Promise<void> {
  await tx`update ai_turns set state = 'waiting' where id = ${id}`;
  await wakeLanes(tx, [laneKey('ai', conversation_id)]);
}

async function isAsking(tx: Sql, { id }: Turn, lease: Lease): Promise<boolean> {
  const rows = await tx`
    select id from ai_turns where id = ${id} and state = 'asking' and ${leaseHeld(tx, lease)} for update`;
  return rows.length === 1;
}

async function drop(sql: Sql, { id }: Turn, state: 'silent' | 'refused'): Promise<void> {
  await sql`
    update ai_turns set state = ${state}, finished_at = now() where id = ${id} and state in ('waiting', 'asking')`;
}
