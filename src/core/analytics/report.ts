import type { Pool, Sql } from '../database/connect.ts';

export const GROUPINGS = ['channel', 'channel_type', 'agent', 'tag', 'day'] as const;
export type Grouping = (typeof GROUPINGS)[number];

export interface ReportFilter {
  businessId: string;
  /** From the first moment to before the second. */
  from: Date;
  to: Date;
  timezone: string;
  /** Only the seconds in which the channel works. */
  isWorking: boolean;
  /** What is not asked for, as each costs about a third. */
  without?: ('times' | 'messages')[];
  channelId?: string | undefined;
  channelType?: string | undefined;
  agentId?: string | undefined;
  tag?: string | undefined;
}

/** How long something took, in seconds; null where it never happened. */
export interface Spread {
  count: number;
  mean: number | null;
  median: number | null;
  p90: number | null;
}

export interface Numbers {
  conversations: number;
  reopened: number;
  resolved: number;
  closed: number;
  messages_received: number;
  messages_sent: number;
  first_response: Spread;
  resolution: Spread;
  handle: Spread;
  csat: Scores;
}

/** What customers said of how they were served, from 1 to 5. */
export interface Scores {
  count: number;
  mean: number | null;
  /** Of them, how many were 4 or 5. */
  happy: number;
}

/** What happened in a time, each thing counted when it happened; by group, or all in one without a grouping. */
export async function report(
  pool: Pool,
  filter: ReportFilter,
  grouping?: Grouping,
): Promise<Map<string | null, Numbers>> {
  const [rounds, messages] = await Promise.all([
    countRounds(pool, filter, grouping),
    filter.without?.includes('messages') ? [] : countMessages(pool, filter, grouping),
  ]);
  const groups = new Map<string | null, Numbers>();
  const groupOf = (key: string | null) => {
    const numbers = groups.get(key) ?? nothing();
    groups.set(key, numbers);
    return numbers;
  };
  for (const { key, ...counted } of rounds) Object.assign(groupOf(key), spreadsOf(counted));
  for (const { key, ...counted } of messages) Object.assign(groupOf(key), counted);
  return groups;
}

/** What a time holds in which nothing happened. */
export function nothing(): Numbers {
  const none = { count: 0, mean: null, median: null, p90: null };
  const counts = { conversations: 0, reopened: 0, resolved: 0, closed: 0 };
  const messages = { messages_received: 0, messages_sent: 0 };
  const csat = { count: 0, mean: null, happy: 0 };
  return { ...counts, ...messages, first_response: none, resolution: none, handle: none, csat };
}

interface Counted {
  conversations: number;
  reopened: number;
  resolved: number;
  closed: number;
  first_response: (number | null)[];
  resolution: (number | null)[];
  handle: (number | null)[];
  ratings: number;
  score: number | null;
  happy: number;
}

function spreadsOf({ first_response, resolution, handle, ratings, score, happy, ...counts }: Counted) {
  return {
    csat: { count: ratings, mean: rounded(score), happy },
    ...counts,
    first_response: spreadOf(first_response),
    resolution: spreadOf(resolution),
    handle: spreadOf(handle),
  };
}

function spreadOf([count = 0, mean, median, p90]: (number | null)[]): Spread {
  return { count: count ?? 0, mean: rounded(mean), median: rounded(median), p90: rounded(p90) };
}

/** To the millisecond, as times are kept. */
export function rounded(seconds: number | null | undefined): number | null {
  return seconds === null || seconds === undefined ? null : Math.round(seconds * 1000) / 1000;
}

function countRounds(pool: Pool, filter: ReportFilter, grouping?: Grouping) {
  return pool<({ key: string | null } & Counted)[]>`
    select key::text,
      count(*) filter (where number = 1)::int as conversations,
      count(*) filter (where number > 1)::int as reopened,
      count(*) filter (where ending = 'resolved')::int as resolved,
      count(*) filter (where ending = 'closed')::int as closed,
      ${spread(pool, filter, 'first_response')} as first_response,
      ${spread(pool, filter, 'resolution')} as resolution,
      ${spread(pool, filter, 'handle')} as handle,
      count(score)::int as ratings,
      avg(score) as score,
      count(*) filter (where score >= 4)::int as happy
    from (
      select ${keyOf(pool, filter, grouping)} as key, number, ending, first_response, resolution, handle, score
      from (${facts(pool, filter)}) f ${tagsOf(pool, grouping)}
      where true ${conditions(pool, filter)}) k
    group by k.key`;
}

function spread(sql: Sql, { without }: ReportFilter, name: string) {
  if (without?.includes('times')) return sql`'[]'::json`;
  const seconds = sql(name);
  // An array of the database would not do: the driver reads its nulls as NaN.
  return sql`json_build_array(
    count(${seconds}), avg(${seconds}), percentile_cont(0.5) within group (order by ${seconds}),
    percentile_cont(0.9) within group (order by ${seconds}))`;
}

/** Each thing that happened in the time, one a row, found by the index of its own time; null is what did not happen then. */
function facts(sql: Sql, { businessId, from, to, isWorking, without }: ReportFilter) {
  const seconds = (name: string) => (isWorking ? sql(`${name}_worked`) : sql(name));
  const at = (time: string) =>
    sql`business_id = ${businessId} and ${sql(time)} >= ${from} and ${sql(time)} < ${to}`;
  const responses = sql`
    union all
    select responded_at, responded_by, channel_id, channel_type, tags, null, null, ${seconds('first_response')}, null, null, null
    from rounds where ${at('responded_at')} and not is_merged and first_response is not null`;
  return sql`
    select began_at as at, agent_id, channel_id, channel_type, tags, number, null as ending,
      null::float8 as first_response, null::float8 as resolution, null::float8 as handle, null::smallint as score
    from rounds where ${at('began_at')} and not is_merged
    union all
    select ended_at, agent_id, channel_id, channel_type, tags, null, ending, null, ${seconds('resolution')}, ${seconds('handle')}, null
    from rounds where ${at('ended_at')} and not is_merged
    union all
    select answered_at, agent_id, channel_id, channel_type, tags, null, null, null, null, null, score
    from ratings where ${at('answered_at')}
    ${without?.includes('times') ? sql`` : responses}`;
}

function countMessages(pool: Pool, filter: ReportFilter, grouping?: Grouping) {
  const { businessId, from, to } = filter;
  return pool<{ key: string | null; messages_received: number; messages_sent: number }[]>`
    select key::text, sum(received)::int as messages_received, sum(sent)::int as messages_sent
    from (
      select ${keyOf(pool, filter, grouping)} as key, received, sent
      from (
        select quarter as at, agent_id, channel_id, channel_type, tags, received, sent from message_counts
        where business_id = ${businessId} and quarter >= ${from} and quarter < ${to}) f ${tagsOf(pool, grouping)}
      where true ${conditions(pool, filter)}) k
    group by k.key`;
}

function keyOf(sql: Sql, { timezone }: ReportFilter, grouping: Grouping | undefined) {
  switch (grouping) {
    case undefined:
      return sql`''`;
    case 'day':
      return sql`(f.at at time zone ${timezone}::text)::date`;
    case 'tag':
      return sql`tag`;
    case 'channel':
      return sql`f.channel_id`;
    case 'channel_type':
      return sql`f.channel_type`;
    case 'agent':
      return sql`f.agent_id`;
  }
}

/** What has several tags counts for each of them; what has none for none. */
function tagsOf(sql: Sql, grouping: Grouping | undefined) {
  return grouping === 'tag' ? sql`left join lateral unnest(f.tags) as tag on true` : sql``;
}

function conditions(sql: Sql, { channelId, channelType, agentId, tag }: ReportFilter) {
  return sql`
    ${channelId === undefined ? sql`` : sql`and f.channel_id = ${channelId}`}
    ${channelType === undefined ? sql`` : sql`and f.channel_type = ${channelType}`}
    ${agentId === undefined ? sql`` : sql`and f.agent_id = ${agentId}`}
    ${tag === undefined ? sql`` : sql`and f.tags @> ${[tag]}`}`;
}
