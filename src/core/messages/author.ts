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

/** The author behind an API key: its agent, or the bot that holds it. */
export async function authorOf(sql: Sql, actor: Actor): Promise<Author> {
  const name = actor.agentId === null ? null : await agentName(sql, actor.agentId);
  return { type: actor.role === 'bot' ? 'bot' : 'agent', id: actor.agentId, name };
}

async function agentName(sql: Sql, id: string): Promise<string | null> {
  const [agent] = await sql<{ name: string }[]>`select name from agents where id = ${id}`;
  return agent?.name ?? null;
}
