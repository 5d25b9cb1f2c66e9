import type { Sql } from './database/connect.ts';
import { newId } from './id.ts';
import type { ListWindow } from './list-window.ts';

export interface Audited {
  /** What was done, as `noun.verb`: `channel.created`, `inbound_request.viewed`. */
  action: string;
  subjectId?: string | null;
  /** Facts for whoever reads the log; never a secret. */
  detail?: Record<string, string | number | boolean | null | string[] | number[]>;
}

/** By whose key something was done; nobody's where it was done by itself. */
export interface Auditor {
  businessId: string;
  apiKeyId: string | null;
  agentId: string | null;
}

/** Notes who did what to the business's settings, keys and secrets. */
export async function audit(
  sql: Sql,
  actor: Auditor,
  { action, subjectId = null, detail = {} }: Audited,
): Promise<void> {
  await sql`
    insert into audit_log (id, business_id, api_key_id, agent_id, action, subject_id, detail)
    values (${newId()}, ${actor.businessId}, ${actor.apiKeyId}, ${actor.agentId}, ${action}, ${subjectId}, ${sql.json(detail)})`;
}

export interface AuditRow {
  id: string;
  action: string;
  subject_id: string | null;
  detail: Record<string, unknown>;
  agent_id: string | null;
  agent_name: string | null;
  api_key_id: string | null;
  api_key_name: string | null;
  created_at: Date;
}

export interface AuditFilter {
  businessId: string;
  action?: string | undefined;
  subjectId?: string | undefined;
  agentId?: string | undefined;
}

/** One window of what was done to the business's settings, keys and secrets, the newest first. */
export function listAudited(
  sql: Sql,
  { businessId, action, subjectId, agentId }: AuditFilter,
  { after, fetch, offset }: ListWindow,
): Promise<AuditRow[]> {
  return sql<AuditRow[]>`
    select l.*, a.name as agent_name, k.name as api_key_name from audit_log l
    left join agents a on a.id = l.agent_id
    left join api_keys k on k.id = l.api_key_id
    where l.business_id = ${businessId}
      ${action === undefined ? sql`` : sql`and l.action = ${action}`}
      ${subjectId === undefined ? sql`` : sql`and l.subject_id = ${subjectId}`}
      ${agentId === undefined ? sql`` : sql`and l.agent_id = ${agentId}`}
      ${after === undefined ? sql`` : sql`and l.id < ${after[0] ?? null}::uuid`}
    order by l.id desc limit ${fetch} offset ${offset}`;
}
