import { z } from 'zod';
import { ROLES } from '../../core/actor.ts';
import type { ApiKeyRow } from '../../core/api-keys.ts';
import { isoOrNull } from '../../core/views/time.ts';

/** An API key as the API shows it; `key` only in the answer that creates it. */
export const apiKeyView = z
  .object({
    id: z.string(),
    name: z.string(),
    role: z.enum(ROLES),
    agent_id: z.string().nullable(),
    hint: z.string().meta({ description: 'The last four characters of the key.' }),
    key: z.string().optional().meta({ description: 'The key itself; only here and only once.' }),
    expires_at: z.string().nullable(),
    last_used_at: z.string().nullable(),
    created_at: z.string(),
  })
  .meta({ id: 'ApiKey' });
export type ApiKeyView = z.infer<typeof apiKeyView>;

/** A key as the API shows it; the key itself is known only to whoever was given it. */
export function viewApiKey(row: ApiKeyRow): ApiKeyView {
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    agent_id: row.agent_id,
    hint: row.hint,
    expires_at: isoOrNull(row.expires_at),
    last_used_at: isoOrNull(row.last_used_at),
    created_at: row.created_at.toISOString(),
  };
}
