import type { Sql } from '../database/connect.ts';
import { isBehind, type Position, positionOf } from '../events.ts';

/** The events that a reader takes in one turn: those behind `after`, up to and with `upTo`. */
export interface Window {
  after: Position;
  upTo: Position;
  /** More has happened than this. */
  hasMore: boolean;
  /** Behind all that has happened: where a reader stands that takes none of it. */
  newest: Position;
}

// So few that a turn is short and its planner never sorts a backlog; counted, as numbers have gaps of any width.
const WINDOW = 500;

/** The next events after a position. What is asked after it, as settings, is at least as young as they are. */
export async function nextWindow(sql: Sql, after: Position): Promise<Window> {
  const behind = sql`from events e where ${isBehind(sql, after)}`;
  const [newestRow, lastRow] = await sql<{ seq: number; created_at: Date }[]>`
    (select seq, created_at ${behind} order by seq desc limit 1)
    union all (select seq, created_at ${behind} order by seq offset ${WINDOW - 1} limit 1)
    order by seq desc`;
  const newest = newestRow === undefined ? after : positionOf(newestRow);
  const upTo = lastRow === undefined ? newest : positionOf(lastRow);
  return { after, upTo, hasMore: upTo.seq < newest.seq, newest };
}

/** Whether the event `e` is one of them. */
export function isInWindow(sql: Sql, { after, upTo }: Window) {
  return sql`${isBehind(sql, after)} and e.seq <= ${upTo.seq}`;
}
