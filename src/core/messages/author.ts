import type { Actor } from '../actor.ts';
import type { Sql } from '../database/connect.ts';

/** Who writes a message or changes a conversation, on our side. */
export interface Author {
  type: 'agent' | 'bot' | 'system';
  id: string | null;
  name: string | null;
  /** What made it write, where that was a rule: whatever comes of it carries it on, so that no rule feeds itself. */
  causedBy?: Record<string, unknown>;
}

/** What Tributary does by itself. */
export const SYSTEM: Author = { type: 'system', id: null, name: null };

/** What it does because of how things stand in a conversation: what led to the newest line there has led to this, too. */
export async function systemIn(sql: Sql, conversationId: string): Promise<Author> {
  const [newest] = await sql<{ caused_by: Record<string, unknown> | null }[]>`
    select metadata -> 'caused_by' as caused_by from messages
    where conversation_id = ${conversationId} and seq is not null order by seq desc limit 1`;
  const causedBy = newest?.caused_by ?? undefined;
  return causedBy === undefined ? SYSTEM : { ...SYSTEM, causedBy };
}

/** The author behind an API key: its agent, or the bot that holds it. */
export async function authorOf(sql: Sql, actor: Actor): Promise<Author> {
  const [author] = await authorsOf(sql, [actor]);
  return author as Author;
}

/** The authors behind many, in their order. */
export async function authorsOf(sql: Sql, actors: readonly Actor[]): Promise<Author[]> {
  const names = await agentNames(
    sql,
    actors.flatMap(({ agentId }) => agentId ?? []),
  );
  return actors.map(({ role, agentId: id }) => ({
    type: role === 'bot' ? 'bot' : 'agent',
    id,
    name: names.get(id ?? '') ?? null,
  }));
}

async function agentNames(sql: Sql, ids: string[]): Promise<Map<string, string>> {
  if (ids.length === 0) return new Map();
  const agents = await sql<
    { id: string; name: string }[]
  >`select id, name from agents where id = any(${ids})`;
  return new Map(agents.map(({ id, name }) => [id, name]));
}
