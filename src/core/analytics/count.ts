import { isDeepStrictEqual } from 'node:util';
import type { Pool, Sql } from '../database/connect.ts';
import { recordset } from '../database/recordset.ts';
import { startReader } from '../events/reader.ts';
import { type EventRow, type Position, positionOf, readEvents } from '../events.ts';
import type { Log } from '../log.ts';
import type { WorkingHours } from '../team/working-hours.ts';
import type { Wake } from '../wake.ts';
import { advance, type Happening, happeningOf, type Round } from './rounds.ts';

const NAME = 'analytics';
const BATCH = 1_000;
const REST = 20;

/** Keeps the numbers up to date: a reader of events whose place commits together with what it counted, each event once. */
export function startCounting(options: { pool: Pool; wake: Wake; log: Log }): { stop(): Promise<void> } {
  const { pool } = options;
  return startReader({ ...options, name: NAME, rest: REST }, async () => {
    const { position, isFull } = await pool.begin(countBatch);
    return { upTo: position, hasMore: isFull };
  });
}

/** Counts all that has happened so far: for who is about to blank it, and might be faster than the reader. */
export async function countSoFar(pool: Pool): Promise<void> {
  let isBehind = true;
  while (isBehind) ({ isFull: isBehind } = await pool.begin(countBatch));
}

/** From the place that the database knows: another process may be further, and a crash may have lost some with it. */
async function countBatch(tx: Sql) {
  await tx`set local synchronous_commit = off`;
  await tx`insert into readers (name, seq, day) values (${NAME}, 0, '1970-01-01') on conflict do nothing`;
  const [place] = await tx<[Position]>`
    select seq, day::text as day from readers where name = ${NAME} for update`;
  const events = await readEvents(tx, { after: place, limit: BATCH });
  const last = events.at(-1);
  if (last === undefined) return { position: place, isFull: false };
  await countEvents(tx, events);
  const position = positionOf(last);
  await tx`update readers set seq = ${position.seq}, day = ${position.day}, updated_at = now() where name = ${NAME}`;
  return { position, isFull: events.length === BATCH };
}

/** Counts events that follow those counted before. */
export async function countEvents(tx: Sql, events: EventRow[]): Promise<void> {
  const happenings = events.flatMap((event) => happeningOf(event) ?? []);
  if (happenings.length === 0) return;
  const current = await currentRounds(tx, happenings);
  const hours = await hoursOf(tx, happenings);
  const changed = new Map<string, Round>();
  for (const happening of happenings) {
    const { id, channel_id } = happening.conversation;
    const before = current.get(id);
    const round = advance(before, happening, hours.get(channel_id));
    // Most of what is written changes nothing that is counted here.
    if (isDeepStrictEqual(round, before)) continue;
    current.set(id, round);
    changed.set(`${id}:${round.number}`, round);
  }
  if (changed.size > 0) await storeRounds(tx, [...changed.values()]);
  await storeMessages(tx, happenings);
}

async function currentRounds(tx: Sql, happenings: Happening[]): Promise<Map<string, Round>> {
  const ids = [...new Set(happenings.map(({ conversation }) => conversation.id))];
  const rows = await tx<Round[]>`
    select distinct on (conversation_id) * from rounds where conversation_id = any(${ids})
    order by conversation_id, number desc`;
  return new Map(rows.map((row) => [row.conversation_id, row]));
}

/** When a channel works: its own hours, or those of the team that it gives its conversations to. */
async function hoursOf(tx: Sql, happenings: Happening[]): Promise<Map<string, WorkingHours>> {
  const ids = [...new Set(happenings.map(({ conversation }) => conversation.channel_id))];
  const rows = await tx<{ id: string; hours: WorkingHours }[]>`
    select c.id, coalesce(c.assignment -> 'working_hours', t.assignment -> 'working_hours') as hours
    from channels c left join teams t on t.id = (c.assignment ->> 'team_id')::uuid
    where c.id = any(${ids})
      and coalesce(c.assignment -> 'working_hours', t.assignment -> 'working_hours') is not null`;
  return new Map(rows.map(({ id, hours }) => [id, hours]));
}

async function storeRounds(tx: Sql, rounds: Round[]): Promise<void> {
  await tx`
    insert into rounds select * from json_populate_recordset(null::rounds, ${recordset(tx, rounds)})
    on conflict (conversation_id, number) do update set
      agent_id = excluded.agent_id, tags = excluded.tags, asked_at = excluded.asked_at,
      responded_at = excluded.responded_at, responded_by = excluded.responded_by, answered_at = excluded.answered_at,
      snoozed_at = excluded.snoozed_at, snoozed_seconds = excluded.snoozed_seconds,
      snoozed_worked = excluded.snoozed_worked, ended_at = excluded.ended_at, ending = excluded.ending,
      first_response = excluded.first_response, first_response_worked = excluded.first_response_worked,
      resolution = excluded.resolution, resolution_worked = excluded.resolution_worked,
      handle = excluded.handle, handle_worked = excluded.handle_worked`;
  // Of a merged conversation no round counts any more, the earlier ones neither; after an undo all do again.
  const ids = [...new Set(rounds.map(({ conversation_id }) => conversation_id))];
  const merged = [...new Map(rounds.map((one) => [one.conversation_id, one])).values()]
    .filter(({ is_merged }) => is_merged)
    .map(({ conversation_id }) => conversation_id);
  await tx`
    update rounds set is_merged = not is_merged
    where conversation_id = any(${ids}) and is_merged <> (conversation_id = any(${merged}))`;
}

interface MessageCount {
  business_id: string;
  quarter: Date;
  channel_id: string;
  channel_type: string;
  agent_id: string | null;
  tags: string[];
  received: number;
  sent: number;
}

async function storeMessages(tx: Sql, happenings: Happening[]): Promise<void> {
  const counts = new Map<string, MessageCount>();
  for (const happening of happenings) {
    if (happening.wrote === undefined) continue;
    const count = countOf(happening);
    const { business_id, quarter, channel_id, agent_id, tags } = count;
    const key = JSON.stringify([business_id, quarter, channel_id, agent_id, tags]);
    const known = counts.get(key) ?? count;
    known[happening.wrote === 'customer' ? 'received' : 'sent'] += 1;
    counts.set(key, known);
  }
  if (counts.size === 0) return;
  await tx`
    insert into message_counts as c
    select * from json_populate_recordset(null::message_counts, ${recordset(tx, [...counts.values()])})
    on conflict (business_id, quarter, channel_id, agent_id, tags)
    do update set received = c.received + excluded.received, sent = c.sent + excluded.sent`;
}

const QUARTER_MS = 900_000;

/** What a customer wrote counts for who has the conversation, what was sent for who wrote it. */
function countOf({ at, conversation, message, wrote }: Happening): MessageCount {
  const { business_id, channel_id, channel_type, assignee_id } = conversation;
  const writer = wrote === 'agent' ? (message?.sender_id ?? null) : null;
  return {
    business_id,
    quarter: new Date(Math.floor(at.getTime() / QUARTER_MS) * QUARTER_MS),
    channel_id,
    channel_type,
    agent_id: wrote === 'customer' ? assignee_id : writer,
    tags: [...conversation.tags].sort(),
    received: 0,
    sent: 0,
  };
}
