import { DateTime } from 'luxon';
import type { Pool } from '../database/connect.ts';
import { nothing, type ReportFilter, report, rounded } from './report.ts';

export interface Overview {
  total_conversations: number;
  avg_first_response: number | null;
  resolution_rate: number | null;
  active_agents: number;
  channel_mix: Record<string, number>;
  top_agents: {
    agent_id: string;
    name: string;
    conversations: number;
    resolved: number;
    messages_sent: number;
  }[];
  quick_pulse_open: number;
  median_handle_time: number | null;
  customer_happiness: number | null;
}

/** A business at a glance: what happened in the time, and what is open now. */
export async function overview(pool: Pool, filter: ReportFilter): Promise<Overview> {
  const [all, byChannel, byAgent, begun, open] = await Promise.all([
    report(pool, { ...filter, without: ['messages'] }),
    report(pool, { ...filter, without: ['times', 'messages'] }, 'channel_type'),
    report(pool, { ...filter, without: ['times'] }, 'agent'),
    begunAndEnded(pool, filter),
    countOpen(pool, filter.businessId),
  ]);
  const numbers = all.get('') ?? nothing();
  const agents = await topAgents(pool, byAgent);
  return {
    total_conversations: numbers.conversations,
    avg_first_response: numbers.first_response.mean,
    resolution_rate: percent(begun.ended, begun.total),
    active_agents: agents.active,
    channel_mix: mixOf(byChannel),
    top_agents: agents.top,
    quick_pulse_open: open,
    median_handle_time: numbers.handle.median,
    customer_happiness: percent(numbers.csat.happy, numbers.csat.count),
  };
}

type Groups = Awaited<ReturnType<typeof report>>;

/** Each channel's share of what began, in percent. */
function mixOf(byChannel: Groups): Record<string, number> {
  const rows = [...byChannel].filter(([type, { conversations }]) => type !== null && conversations > 0);
  const total = rows.reduce((sum, [, { conversations }]) => sum + conversations, 0);
  return Object.fromEntries(
    rows.map(([type, { conversations }]) => [type, percent(conversations, total) ?? 0]),
  );
}

function percent(part: number, whole: number): number | null {
  return whole === 0 ? null : Math.round((part / whole) * 1000) / 10;
}

const TOP = 5;

/** Who wrote or ended anything was active; those who ended most come first, then those who wrote most. */
async function topAgents(pool: Pool, byAgent: Groups) {
  const ids = [...byAgent.keys()].filter((id) => id !== null);
  const names = await pool<
    { id: string; name: string }[]
  >`select id, name from agents where id = any(${ids})`;
  const rows = names.flatMap(({ id, name }) => {
    const { conversations, resolved, closed, messages_sent } = byAgent.get(id) ?? nothing();
    return messages_sent + resolved + closed === 0
      ? []
      : [{ agent_id: id, name, conversations, resolved, messages_sent }];
  });
  rows.sort((one, other) => other.resolved - one.resolved || other.messages_sent - one.messages_sent);
  return { active: rows.length, top: rows.slice(0, TOP) };
}

/** Of the conversations that began in the time, how many are over. */
async function begunAndEnded(pool: Pool, { businessId, from, to }: ReportFilter) {
  const [row] = await pool<[{ total: number; ended: number }]>`
    select count(*)::int as total, count(*) filter (where latest.ended_at is not null)::int as ended
    from rounds r cross join lateral (
      select ended_at from rounds l where l.conversation_id = r.conversation_id order by number desc limit 1) latest
    where r.business_id = ${businessId} and r.number = 1 and not r.is_merged
      and r.began_at >= ${from} and r.began_at < ${to}`;
  return row;
}

async function countOpen(pool: Pool, businessId: string): Promise<number> {
  const [row] = await pool<[{ open: number }]>`
    select count(*)::int as open from conversations
    where business_id = ${businessId} and status = 'open' and merged_into_id is null`;
  return row.open;
}

export interface ConversationNumbers {
  total: number;
  open: number;
  resolvedToday: number;
  avgFirstResponse: number | null;
  avgResolution: number | null;
  csat: number | null;
}

/** All conversations of a business; today is a day of its own zone. */
export async function conversationNumbers(
  pool: Pool,
  { id, timezone }: { id: string; timezone: string },
): Promise<ConversationNumbers> {
  const today = DateTime.now().setZone(timezone).startOf('day').toJSDate();
  const [[now], [ever], [sinceMidnight], [said]] = await Promise.all([
    pool<[{ total: number; open: number }]>`
      select count(*)::int as total, count(*) filter (where status = 'open')::int as open
      from conversations where business_id = ${id} and merged_into_id is null`,
    pool<[{ first_response: number | null; resolution: number | null }]>`
      select avg(first_response) as first_response, avg(resolution) as resolution
      from rounds where business_id = ${id} and not is_merged`,
    pool<[{ resolved: number }]>`
      select count(distinct conversation_id)::int as resolved from rounds
      where business_id = ${id} and not is_merged and ending = 'resolved' and ended_at >= ${today}`,
    pool<[{ csat: number | null }]>`
      select avg(score)::float8 as csat from ratings where business_id = ${id} and answered_at is not null`,
  ]);
  return {
    ...now,
    resolvedToday: sinceMidnight.resolved,
    avgFirstResponse: rounded(ever.first_response),
    avgResolution: rounded(ever.resolution),
    csat: rounded(said.csat),
  };
}
