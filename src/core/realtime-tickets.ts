import { createHash, randomBytes } from 'node:crypto';
import type { Actor } from './actor.ts';
import { authenticateById } from './api-keys.ts';
import type { Sql } from './database/connect.ts';
import { AppError } from './errors.ts';

const VALID_FOR_SECONDS = 60;

export interface Ticket {
  /** Given out here and never again. */
  ticket: string;
  expiresAt: Date;
}

/** Opens one socket for the actor, once, within a minute: an address may hold it where it must not hold a key. */
export async function issueTicket(sql: Sql, { businessId, apiKeyId }: Actor): Promise<Ticket> {
  const ticket = randomBytes(30).toString('base64url');
  const [row] = await sql<[{ expires_at: Date }]>`
    insert into realtime_tickets (ticket_hash, business_id, api_key_id, expires_at)
    values (${hashTicket(ticket)}, ${businessId}, ${apiKeyId}, now() + make_interval(secs => ${VALID_FOR_SECONDS}))
    returning expires_at`;
  return { ticket, expiresAt: row.expires_at };
}

/** Takes the ticket out of the world and says whose it was. Throws the refusal of any that does not stand. */
export async function redeemTicket(sql: Sql, ticket: string): Promise<Actor> {
  // Deleting is the one act that two processes cannot both do.
  const [row] = await sql<{ api_key_id: string; is_fresh: boolean }[]>`
    delete from realtime_tickets where ticket_hash = ${hashTicket(ticket)}
    returning api_key_id, expires_at > now() as is_fresh`;
  if (row?.is_fresh !== true)
    throw new AppError('unauthorized', 'This ticket was used, has expired or never was: ask for another.');
  return authenticateById(sql, row.api_key_id);
}

/** Forgets those that nobody used. */
export async function forgetTickets(sql: Sql): Promise<void> {
  await sql`delete from realtime_tickets where expires_at < now()`;
}

function hashTicket(ticket: string): Buffer {
  return createHash('sha256').update(ticket).digest();
}
