import { z } from 'zod';
import type { Sql } from '../database/connect.ts';
import { invalidField } from '../errors.ts';
import { isUuid } from '../id.ts';
import { isWithin, nextOpening, workingHours } from './working-hours.ts';

const mode = z.enum(['manual', 'round_robin', 'least_busy']).meta({
  description:
    '`manual`: a person decides · `round_robin`: whose turn is the longest ago · `least_busy`: who has the fewest open and pending conversations. Only agents who are `live`.',
});
const working_hours = workingHours.optional().meta({ description: 'Outside of them conversations wait.' });
const uuid = z.string().toLowerCase().refine(isUuid, 'must be an id').meta({ format: 'uuid' });

/** How a team passes on what it is given. */
export const teamAssignment = z.strictObject({ mode: mode.default('round_robin'), working_hours });
export type TeamAssignment = z.infer<typeof teamAssignment>;

/** Who gets the conversations that customers begin on a channel. */
export const channelAssignment = z
  .strictObject({
    mode: mode.default('manual'),
    agent_ids: z
      .array(uuid)
      .min(1)
      .max(500)
      .optional()
      .meta({ description: 'Only these agents; without them, and without a team, all of the business.' }),
    team_id: uuid.optional().meta({ description: 'The conversations are this team’s.' }),
    working_hours,
  })
  .refine((it) => it.agent_ids === undefined || it.team_id === undefined, {
    path: ['team_id'],
    error: 'goes without agent_ids',
  });
export type ChannelAssignment = z.infer<typeof channelAssignment>;

/** An SQL condition on a row of `channels`: it gives its conversations to agents by itself. */
export function givesAway(sql: Sql) {
  return sql`(assignment ->> 'mode' <> 'manual' or assignment ? 'team_id')`;
}

/** Refuses agents and teams that are none of the business's, naming the field. */
export async function checkAssignment(
  tx: Sql,
  businessId: string,
  { agent_ids = [], team_id }: ChannelAssignment,
): Promise<void> {
  const known = await tx<{ id: string }[]>`
    select id from agents where business_id = ${businessId} and id = any(${agent_ids}::uuid[]) and is_active`;
  const unknown = agent_ids.findIndex((id) => !known.some((agent) => agent.id === id));
  if (unknown !== -1)
    throw invalidField(`assignment.agent_ids.${unknown}`, 'is not an active agent of your business');
  if (team_id === undefined) return;
  const [team] = await tx`
    select id from teams where business_id = ${businessId} and id = ${team_id} and deleted_at is null for share`;
  if (team === undefined) throw invalidField('assignment.team_id', 'is not a team of your business');
}

/** Those who take turns: the members of a team, or whom a channel names. */
export interface Rotation {
  /** The team's or the channel's id: whose turn it is is kept by it. */
  id: string;
  businessId: string;
  isTeam: boolean;
  agentIds?: string[] | undefined;
  policy: TeamAssignment;
}

export interface NamedAgent {
  id: string;
  name: string;
  role: string;
}

/** The agent whom a conversation goes to now, whose turn that was; undefined while nobody is there. */
export async function takeTurn(tx: Sql, rotation: Rotation, now: Date): Promise<NamedAgent | undefined> {
  const { mode, working_hours } = rotation.policy;
  if (mode === 'manual' || (working_hours !== undefined && !isWithin(working_hours, now))) return undefined;
  // One turn at a time, so that two conversations at once go to two agents; a team is locked where it is looked up.
  if (!rotation.isTeam) await tx`select 1 from channels where id = ${rotation.id} for no key update`;
  const [agent] = await tx<NamedAgent[]>`
    select a.id, a.name, a.role from agents a
    left join assignment_turns t on t.pool_id = ${rotation.id} and t.agent_id = a.id
    where a.business_id = ${rotation.businessId} and a.is_active and a.status = 'live' and ${belongs(tx, rotation)}
    order by ${mode === 'least_busy' ? busyness(tx) : tx``} t.assigned_at nulls first, a.id
    limit 1 for share of a`;
  if (agent === undefined) return undefined;
  await tx`
    insert into assignment_turns (pool_id, agent_id, assigned_at) values (${rotation.id}, ${agent.id}, clock_timestamp())
    on conflict (pool_id, agent_id) do update set assigned_at = excluded.assigned_at`;
  return agent;
}

/** A bot takes turns only where somebody put it among those who do. */
function belongs(tx: Sql, { id, isTeam, agentIds }: Rotation) {
  if (isTeam) return tx`a.id in (select agent_id from team_members where team_id = ${id})`;
  return agentIds === undefined ? tx`a.role <> 'bot'` : tx`a.id = any(${agentIds}::uuid[])`;
}

function busyness(tx: Sql) {
  return tx`(select count(*) from conversations c where c.assignee_id = a.id and c.status in ('open', 'pending')),`;
}

const DAY_MS = 86_400_000;

/** When to look for somebody again who was not there now; an agent who comes is noticed at once. */
export function nextTry({ working_hours }: TeamAssignment, now: Date): Date {
  const opening =
    working_hours === undefined || isWithin(working_hours, now) ? undefined : nextOpening(working_hours, now);
  return opening ?? new Date(now.getTime() + DAY_MS);
}
