import { z } from 'zod';
import type { Sql } from '../database/connect.ts';
import { isoOrNull } from '../views/time.ts';

export const attemptView = z
  .object({
    id: z.string(),
    number: z.number().int(),
    part: z.number().int().nullable(),
    started_at: z.string(),
    finished_at: z.string().nullable(),
    duration_ms: z.number().int().nullable(),
    outcome: z.string().nullable(),
    status_code: z.number().int().nullable(),
    provider_code: z.string().nullable(),
    message: z.string().nullable(),
    meaning: z.string(),
  })
  .meta({ id: 'Attempt' });
export type AttemptView = z.infer<typeof attemptView>;

interface AttemptRow {
  id: string;
  started_at: Date;
  number: number;
  part: number | null;
  finished_at: Date | null;
  outcome: string | null;
  status_code: number | null;
  provider_code: string | null;
  message: string | null;
  duration_ms: number | null;
}

/** Each try of sending a message, in order, with what it means in plain words. */
export async function listAttempts(
  sql: Sql,
  message: { id: string; created_at: Date },
): Promise<AttemptView[]> {
  // The time lets the database skip the days before the message existed.
  const rows = await sql<AttemptRow[]>`
    select * from attempts
    where kind = 'send' and subject_id = ${message.id} and started_at >= ${message.created_at}::timestamptz - interval '1 minute'
    order by started_at, id`;
  return rows.map(viewAttempt);
}

function viewAttempt(row: AttemptRow): AttemptView {
  return {
    id: row.id,
    number: row.number,
    part: row.part,
    started_at: row.started_at.toISOString(),
    finished_at: isoOrNull(row.finished_at),
    duration_ms: row.duration_ms,
    outcome: row.outcome,
    status_code: row.status_code,
    provider_code: row.provider_code,
    message: row.message,
    meaning: meaningOf(row.outcome),
  };
}

const MEANINGS: Record<string, string> = {
  sent: 'The provider took it.',
  rejected: 'The provider refused it and would refuse it again.',
  rate_limited: 'The provider asked to wait; it is tried again when it may be.',
  deferred: 'The provider did not take it this time; it is tried again.',
  unknown: 'The answer was lost: nobody can know whether the provider took it.',
};

function meaningOf(outcome: string | null): string {
  if (outcome === null) return 'It is under way.';
  return MEANINGS[outcome] ?? 'It did not succeed.';
}
