import { stringify } from 'csv-stringify/sync';
import type { DateTime } from 'luxon';
import { z } from 'zod';
import { GROUPINGS, type Grouping, type Numbers, nothing } from '../../core/analytics/report.ts';
import type { Pool } from '../../core/database/connect.ts';
import { assigneeNames } from '../../core/team/agents.ts';

const count = z.number().int();
const seconds = z.number().nullable();

const spread = z
  .object({ count, mean: seconds, median: seconds, p90: seconds })
  .meta({ id: 'AnalyticsSpread', description: 'Seconds; null where nothing was measured.' });
const numbers = z.object({
  conversations: count.meta({ description: 'That began.' }),
  reopened: count,
  resolved: count,
  closed: count.meta({ description: 'Closed without having been resolved.' }),
  messages_received: count,
  messages_sent: count,
  first_response: spread,
  resolution: spread,
  handle: spread,
  csat: z
    .object({ count, mean: z.number().nullable(), happy: count.meta({ description: 'Scores of 4 and 5.' }) })
    .meta({ id: 'AnalyticsScores' }),
});
/** Counts and times of some days, all together and by group. */
export const reportView = z
  .object({
    from: z.string(),
    to: z.string(),
    timezone: z.string(),
    working_hours: z.boolean(),
    group_by: z.enum(GROUPINGS).nullable(),
    total: numbers,
    data: z.array(numbers.extend({ key: z.string().nullable(), name: z.string().nullable() })),
  })
  .meta({ id: 'AnalyticsReport' });
export type Report = z.infer<typeof reportView>;

/** The days of a report, the last one included. */
export interface Days {
  from: DateTime;
  to: DateTime;
}

/** One group of a report. */
type Row = Numbers & { key: string | null; name: string | null };

/** The groups with their names, in an order that says something: days as they come, others by what began. */
export async function rowsOf(
  pool: Pool,
  groups: Map<string | null, Numbers>,
  { grouping, time }: { grouping: Grouping | undefined; time: Days },
): Promise<Row[]> {
  if (grouping === 'day') return everyDay(groups, time);
  const keys = [...groups.keys()];
  const names =
    grouping === 'agent'
      ? await assigneeNames(pool, keys)
      : grouping === 'channel'
        ? await channelNames(pool, keys)
        : new Map(keys.flatMap((key) => (key === null ? [] : [[key, key] as const])));
  const rows = [...groups].map(([key, one]) => ({ key, name: names.get(key ?? '') ?? null, ...one }));
  return rows.sort((one, other) => other.conversations - one.conversations || order(one.key, other.key));
}

function order(one: string | null, other: string | null): number {
  return (one ?? '').localeCompare(other ?? '', 'en');
}

async function channelNames(pool: Pool, ids: (string | null)[]): Promise<Map<string, string>> {
  const rows = await pool<{ id: string; name: string }[]>`
    select id, name from channels where id = any(${ids.filter((id) => id !== null)})`;
  return new Map(rows.map(({ id, name }) => [id, name]));
}

/** A day on which nothing happened is a day too. */
function everyDay(groups: Map<string | null, Numbers>, { from, to }: Days): Row[] {
  const rows: Row[] = [];
  for (let day = from; day <= to; day = nextDay(day)) {
    const key = day.toISODate() ?? '';
    rows.push({ key, name: key, ...(groups.get(key) ?? nothing()) });
  }
  return rows;
}

/** Where the clocks go forward at midnight a day begins at one, and the next at midnight again. */
export function nextDay(day: DateTime): DateTime {
  return day.plus({ days: 1 }).startOf('day');
}

/** The groups as lines of a spreadsheet. */
export function csvOf(rows: Row[]): string {
  const columns = Object.keys(lineOf({ key: null, name: null, ...nothing() }));
  // What begins like a formula would be one in a spreadsheet: tags and names are written by people.
  // Without a mark at the beginning Excel takes UTF-8 for something older.
  return stringify(rows.map(lineOf), { header: true, columns, escape_formulas: true, bom: true });
}

function lineOf({ first_response, resolution, handle, csat, ...counts }: Row): object {
  return {
    ...counts,
    ...prefixed('first_response', first_response),
    ...prefixed('resolution', resolution),
    ...prefixed('handle', handle),
    ...prefixed('csat', csat),
  };
}

function prefixed(name: string, spread: object): object {
  return Object.fromEntries(Object.entries(spread).map(([key, value]) => [`${name}_${key}`, value]));
}
