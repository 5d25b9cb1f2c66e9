import type { Actor } from '../actor.ts';
import { audit } from '../audit.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { newId } from '../id.ts';
import type { Secrets } from '../secrets.ts';
import { givesAway } from '../team/assignment.ts';

export const AI_MODES = ['assist', 'auto'] as const;
/** Whether what it suggests goes to agents or, where it is sure enough, to the customer. */
export type AiMode = (typeof AI_MODES)[number];

/** The program that a business has answer its customers. */
export interface AiHookRow {
  id: string;
  business_id: string;
  url: string;
  mode: AiMode;
  threshold: number;
  timeout_seconds: number;
  secret: Buffer;
  failed_at: Date | null;
  failure: string | null;
  created_at: Date;
  updated_at: Date;
}

export interface AiHookInput {
  url: string;
  mode: AiMode;
  threshold: number;
  timeoutSeconds: number;
  /** For a hook that has none yet, or whose own is to be replaced. */
  freshSecret: string;
  replaceSecret: boolean;
}

/** The business's hook, if it has one. */
export async function findAiHook(sql: Sql, businessId: string): Promise<AiHookRow | undefined> {
  const [hook] = await sql<AiHookRow[]>`select * from ai_hooks where business_id = ${businessId}`;
  return hook;
}

/** The business's hook. Throws `not_found` where there is none. */
export async function getAiHook(sql: Sql, businessId: string): Promise<AiHookRow> {
  const hook = await findAiHook(sql, businessId);
  if (hook === undefined) throw new AppError('not_found', 'No AI hook is set.');
  return hook;
}

/** Sets the business's hook. Resolves with its secret too when that is new. */
export async function setAiHook(
  tx: Sql,
  actor: Actor,
  { input, secrets }: { input: AiHookInput; secrets: Secrets },
): Promise<{ hook: AiHookRow; secret: string | undefined }> {
  const id = newId();
  const { businessId } = actor;
  const seal = (rowId: string) =>
    secrets.encrypt(input.freshSecret, scopeOf({ id: rowId, business_id: businessId }));
  const { url, mode, threshold, timeoutSeconds: timeout_seconds } = input;
  const fields = { url, mode, threshold, timeout_seconds };
  const [hook] = await tx<[AiHookRow]>`
    insert into ai_hooks ${tx({ id, business_id: businessId, ...fields, secret: seal(id) })}
    on conflict (business_id) do update set ${tx({ ...fields, failed_at: null, failure: null })}, updated_at = now()
    returning *`;
  const isFresh = hook.id === id || input.replaceSecret;
  if (isFresh && hook.id !== id)
    await tx`update ai_hooks set secret = ${seal(hook.id)} where id = ${hook.id}`;
  if (mode === 'assist') await passOn(tx, businessId);
  await audit(tx, actor, { action: 'ai_hook.set', subjectId: hook.id, detail: { mode, threshold } });
  return { hook, secret: isFresh ? input.freshSecret : undefined };
}

/** Takes the hook away: nobody is asked any more. */
export async function removeAiHook(tx: Sql, actor: Actor): Promise<void> {
  const { id } = await getAiHook(tx, actor.businessId);
  await tx`delete from ai_hooks where id = ${id}`;
  await passOn(tx, actor.businessId);
  await audit(tx, actor, { action: 'ai_hook.removed', subjectId: id });
}

/** What the AI answered so far is given to agents where a policy does that, like anything that nobody has. */
async function passOn(tx: Sql, businessId: string): Promise<void> {
  await tx`
    update conversations set assign_at = now()
    where id in (
      select c.id from conversations c join channels on channels.id = c.channel_id
      where c.business_id = ${businessId} and c.status in ('open', 'pending') and c.assignee_id is null
        and c.merged_into_id is null and c.assign_at is null and ${givesAway(tx)}
        and exists (select 1 from ai_turns t where t.conversation_id = c.id)
      order by c.id for update of c)`;
}

/** What signs the questions. */
export function secretOfHook(secrets: Secrets, hook: AiHookRow): string {
  return secrets.decrypt(hook.secret, scopeOf(hook));
}

/** Keeps for the business to see that its hook fails, or forgets it once it answers again. */
export async function noteHealth(sql: Sql, hook: AiHookRow, failure: string | undefined): Promise<void> {
  if (failure === undefined && hook.failed_at === null) return;
  await sql`
    update ai_hooks set failed_at = ${failure === undefined ? null : new Date()}, failure = ${failure ?? null}
    where id = ${hook.id}`;
}

function scopeOf({ id, business_id }: Pick<AiHookRow, 'id' | 'business_id'>) {
  return { businessId: business_id, rowId: id, field: 'ai_secret' };
}
