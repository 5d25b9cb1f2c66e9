import { mayAnswerAutomatically } from './automatic.ts';
import { causedBy } from './automation/cause.ts';
import { lockConversation } from './conversations.ts';
import type { Pool, Sql } from './database/connect.ts';
import { isAway, type Transact } from './database/transact.ts';
import { AppError } from './errors.ts';
import { startReader } from './events/reader.ts';
import { isInWindow, nextWindow, type Window } from './events/window.ts';
import type { Log } from './log.ts';
import { queueMessage, type Writing } from './messages/queue-message.ts';
import { fillIn, valuesOf } from './placeholders.ts';
import { isWithin, nextOpening, type WorkingHours } from './team/working-hours.ts';
import type { Wake } from './wake.ts';

interface GreeterOptions {
  pool: Pool;
  transact: Transact;
  writing: Omit<Writing, 'by'>;
  wake: Wake;
  log: Log;
}

/** Greets who begins a conversation, and says when nobody is there: two rules that every channel has, a reader of events. */
export function startGreeter(options: GreeterOptions): { stop(): Promise<void> } {
  const { pool } = options;
  return startReader({ ...options, name: 'greeter' }, async (after) => {
    const window = await nextWindow(pool, after);
    // Asked after the window: a text of before a message is one that this sees.
    if (!(await isNeeded(pool))) return { upTo: window.newest, hasMore: false, isIdle: true };
    for (const arrival of await readArrivals(pool, window)) await answer(options, arrival);
    return { upTo: window.upTo, hasMore: window.hasMore };
  });
}

async function isNeeded(pool: Pool): Promise<boolean> {
  const rows = await pool`
    select id from channels where deleted_at is null and (greeting is not null or out_of_hours is not null) limit 1`;
  return rows.length > 0;
}

interface Arrival {
  created_at: Date;
  business_id: string;
  channel_id: string;
  conversation_id: string;
  customer_id: string;
  message_id: string;
  message_seq: number;
  greeting: string | null;
  out_of_hours: string | null;
  hours: WorkingHours | null;
}

// Whoever wrote longer ago than this is not greeted any more.
const LATE_MINUTES = 60;

/** What customers wrote on channels that have something to say to it. */
function readArrivals(pool: Pool, window: Window): Promise<Arrival[]> {
  return pool<Arrival[]>`
    select e.created_at, e.business_id, ch.id as channel_id, c.id as conversation_id, c.customer_id,
      m.id as message_id, m.seq as message_seq, ch.greeting, ch.out_of_hours,
      coalesce(ch.assignment -> 'working_hours', t.assignment -> 'working_hours') as hours
    from events e
    join messages m on m.id = e.message_id
    join conversations c on c.id = m.conversation_id and c.customer_id is not null
    join channels ch on ch.id = c.channel_id and ch.is_active and (ch.greeting is not null or ch.out_of_hours is not null)
    left join teams t on t.id::text = ch.assignment ->> 'team_id' and t.deleted_at is null
    where ${isInWindow(pool, window)}
      and e.type = 'message.received' and e.created_at > now() - make_interval(mins => ${LATE_MINUTES})
    order by e.seq`;
}

interface Answer {
  kind: 'greeting' | 'out_of_hours';
  text: string;
  /** Until when the same customer is not told again. */
  silentUntil: Date;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Outside of the hours nobody is promised an answer: then only that is said. */
function answerTo(arrival: Arrival): Answer | undefined {
  const { greeting, out_of_hours, hours, created_at: at } = arrival;
  if (out_of_hours !== null && hours !== null && !isWithin(hours, at)) {
    const opening = nextOpening(hours, at)?.getTime() ?? Number.POSITIVE_INFINITY;
    const closedMs = Math.max(HOUR_MS, Math.min(DAY_MS, opening - at.getTime()));
    return { kind: 'out_of_hours', text: out_of_hours, silentUntil: new Date(at.getTime() + closedMs) };
  }
  if (greeting === null || arrival.message_seq !== 1) return undefined;
  return { kind: 'greeting', text: greeting, silentUntil: new Date(at.getTime() + DAY_MS) };
}

async function answer({ transact, writing, log }: GreeterOptions, arrival: Arrival): Promise<void> {
  const said = answerTo(arrival);
  if (said === undefined) return;
  try {
    await transact((tx) => say(tx, arrival, { said, writing }));
  } catch (error) {
    if (isAway(error)) throw error;
    // Whoever said STOP, or was merged away meanwhile, is not told; the others wait for nobody.
    if (!(error instanceof AppError))
      log.error({ err: error, conversation: arrival.conversation_id }, 'an automatic answer failed');
  }
}

interface Saying {
  said: Answer;
  writing: Omit<Writing, 'by'>;
}

async function say(tx: Sql, arrival: Arrival, { said, writing }: Saying): Promise<void> {
  const conversation = await lockConversation(tx, arrival.business_id, arrival.conversation_id);
  // A rating, say: whatever asks for an answer has opened it again.
  if (conversation.status === 'resolved' || conversation.status === 'closed') return;
  if (!(await mayAnswerAutomatically(tx, conversation.id)) || (await isAnswered(tx, arrival))) return;
  if (!(await takeTurn(tx, arrival, said))) return;
  const cause = { ...causedBy(said.kind, arrival.message_id, undefined) };
  const by = { type: 'system', id: null, name: null, causedBy: cause } as const;
  const { text: content } = fillIn(said.text, await valuesOf(tx, conversation, by));
  if (content.trim() !== '') await queueMessage(tx, conversation, { draft: { content }, ...writing, by });
}

/** Somebody was faster. */
async function isAnswered(tx: Sql, { conversation_id, message_seq }: Arrival): Promise<boolean> {
  const rows = await tx`
    select id from messages
    where conversation_id = ${conversation_id} and seq > ${message_seq} and direction = 'outbound'
      and sender_type in ('agent', 'bot') limit 1`;
  return rows.length > 0;
}

/** Once for a customer and a time, whoever tries and however often an event is read. */
async function takeTurn(tx: Sql, arrival: Arrival, { kind, silentUntil }: Answer): Promise<boolean> {
  const taken = await tx`
    insert into automatic_answers (channel_id, customer_id, kind, silent_until)
    values (${arrival.channel_id}, ${arrival.customer_id}, ${kind}, ${silentUntil})
    on conflict (channel_id, customer_id, kind) do update set silent_until = excluded.silent_until
      where automatic_answers.silent_until <= ${arrival.created_at}
    returning kind`;
  return taken.length > 0;
}

/** Forgets for whom it was silent. */
export async function forgetAutomaticAnswers(sql: Sql): Promise<void> {
  await sql`delete from automatic_answers where silent_until < now() - interval '1 day'`;
}
