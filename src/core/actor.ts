export const ROLES = ['owner', 'admin', 'agent', 'bot'] as const;
export type Role = (typeof ROLES)[number];

/** Who asks, as their API key says. */
export interface Actor {
  businessId: string;
  apiKeyId: string;
  agentId: string | null;
  role: Role;
}

// A bot works conversations as an agent does; only what it writes reads as `bot`.
const RANK: Record<Role, number> = { owner: 3, admin: 2, agent: 1, bot: 1 };

/** Whether a role may do what needs that other role. */
export function reaches(role: Role, needed: Role): boolean {
  return RANK[role] >= RANK[needed];
}
