import { z } from 'zod';
import type { Sql } from '../core/database/connect.ts';
import { isoOrNull } from '../core/views/time.ts';

const count = z.number().int();

export const statsView = z.object({
  since: z.string(),
  deliveries: z
    .object({ delivered: count, pending: count, failed: count, canceled: count })
    .meta({ description: 'Of the events since then, by what became of them.' }),
  attempts: count,
  success_rate: z
    .number()
    .nullable()
    .meta({ description: 'Delivered ones of those that ended, from 0 to 1; null without any.' }),
  failures: z
    .record(z.string(), count)
    .meta({ description: 'Deliveries whose last try failed, by its outcome.' }),
  duration_ms: z
    .object({ p50: z.number().nullable(), p95: z.number().nullable(), p99: z.number().nullable() })
    .meta({ description: 'How long the answers took that were a success.' }),
  backlog: z
    .object({
      pending: count,
      due: count,
      oldest_due_at: z.string().nullable(),
      next_attempt_at: z.string().nullable(),
    })
    .meta({ description: 'What is still to be delivered, of whatever age.' }),
  hours: z.array(z.object({ hour: z.string(), delivered: count, failed: count, pending: count })),
});
export type StatsView = z.infer<typeof statsView>;

/** What became of an endpoint's deliveries since a time. */
export async function endpointStats(sql: Sql, endpointId: string, since: Date): Promise<StatsView> {
  const [totals, failures, hours, backlog] = await Promise.all([
    totalsOf(sql, endpointId, since),
    failuresOf(sql, endpointId, since),
    hoursOf(sql, endpointId, since),
    backlogOf(sql, endpointId),
  ]);
  const { delivered, pending, failed, canceled, attempts, p50, p95, p99 } = totals;
  const ended = delivered + failed;
  return {
    since: since.toISOString(),
    deliveries: { delivered, pending, failed, canceled },
    attempts,
    success_rate: ended === 0 ? null : delivered / ended,
    failures,
    duration_ms: { p50, p95, p99 },
    backlog,
    hours,
  };
}

interface Totals {
  delivered: number;
  pending: number;
  failed: number;
  canceled: number;
  attempts: number;
  p50: number | null;
  p95: number | null;
  p99: number | null;
}

async function totalsOf(sql: Sql, endpointId: string, since: Date): Promise<Totals> {
  const took = (share: number) => sql`
    percentile_cont(${share}::float) within group (order by last_duration_ms) filter (where status = 'delivered')`;
  const [row] = await sql<[Totals]>`
    select count(*) filter (where status = 'delivered') as delivered, count(*) filter (where status = 'pending') as pending,
      count(*) filter (where status = 'failed') as failed, count(*) filter (where status = 'canceled') as canceled,
      coalesce(sum(attempt), 0)::bigint as attempts, ${took(0.5)} as p50, ${took(0.95)} as p95, ${took(0.99)} as p99
    from deliveries where endpoint_id = ${endpointId} and created_at >= ${since}`;
  return row;
}

async function failuresOf(sql: Sql, endpointId: string, since: Date): Promise<Record<string, number>> {
  const rows = await sql<{ last_outcome: string; n: number }[]>`
    select last_outcome, count(*) as n from deliveries
    where endpoint_id = ${endpointId} and created_at >= ${since}
      and last_outcome is not null and last_outcome <> 'delivered'
    group by last_outcome order by n desc`;
  return Object.fromEntries(rows.map(({ last_outcome, n }) => [last_outcome, n]));
}

async function hoursOf(sql: Sql, endpointId: string, since: Date): Promise<StatsView['hours']> {
  const rows = await sql<{ hour: Date; delivered: number; failed: number; pending: number }[]>`
    select date_trunc('hour', created_at, 'UTC') as hour, count(*) filter (where status = 'delivered') as delivered,
      count(*) filter (where status = 'failed') as failed, count(*) filter (where status = 'pending') as pending
    from deliveries where endpoint_id = ${endpointId} and created_at >= ${since}
    group by 1 order by 1`;
  return rows.map((row) => ({ ...row, hour: row.hour.toISOString() }));
}

async function backlogOf(sql: Sql, endpointId: string): Promise<StatsView['backlog']> {
  const [row] = await sql<
    [{ pending: number; due: number; oldest_due_at: Date | null; next_at: Date | null }]
  >`
    select count(*) as pending, count(*) filter (where next_attempt_at <= now()) as due,
      min(next_attempt_at) filter (where next_attempt_at <= now()) as oldest_due_at,
      min(next_attempt_at) filter (where next_attempt_at > now()) as next_at
    from deliveries where endpoint_id = ${endpointId} and status = 'pending'`;
  const { pending, due, oldest_due_at, next_at } = row;
  return { pending, due, oldest_due_at: isoOrNull(oldest_due_at), next_attempt_at: isoOrNull(next_at) };
}
