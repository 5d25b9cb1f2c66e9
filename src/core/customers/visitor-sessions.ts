import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';
import { newId } from '../id.ts';
import type { Secrets } from '../secrets.ts';
import type { Wake } from '../wake.ts';

const DAY_MS = 86_400_000;
const VALID_FOR_MS = 30 * DAY_MS;
/** A session younger than this keeps its end, so that a reconnect costs no write. */
const RENEW_AFTER_MS = DAY_MS;

/** Who a web-chat visitor is, for one business and one channel. */
export interface VisitorSession {
  id: string;
  businessId: string;
  channelId: string;
  /** The address of the visitor's identity on the channel. */
  visitorId: string;
  /** The person's id at the business, once an identity token has proved it. */
  externalId: string | undefined;
  expiresAt: Date;
}

export type NewVisitorSession = Omit<VisitorSession, 'id' | 'expiresAt'>;

/** Begins a session. */
export async function openVisitorSession(sql: Sql, session: NewVisitorSession): Promise<VisitorSession> {
  const opened = { ...session, id: newId(), expiresAt: new Date(Date.now() + VALID_FOR_MS) };
  await sql`
    insert into visitor_sessions (id, business_id, channel_id, visitor_id, expires_at)
    values (${opened.id}, ${opened.businessId}, ${opened.channelId}, ${opened.visitorId}, ${opened.expiresAt})`;
  return opened;
}

/** The text that a visitor's browser keeps. It names the session; whether that still stands is the row's word. */
export function sealVisitorToken(secrets: Secrets, session: VisitorSession): string {
  const { id, businessId, channelId, visitorId, externalId } = session;
  return secrets.seal('visitor', JSON.stringify({ id, businessId, channelId, visitorId, externalId }));
}

type Claims = Omit<VisitorSession, 'expiresAt'>;

/** The session of a token. Throws `unauthorized` for any other text, another channel's token, one expired or revoked. */
export async function findVisitorSession(
  sql: Sql,
  secrets: Secrets,
  { token, channelId }: { token: string; channelId: string },
): Promise<VisitorSession> {
  const claims = openToken(secrets, token);
  if (claims === undefined || claims.channelId !== channelId) throw refused('is not valid here');
  const [row] = await sql<{ expires_at: Date; revoked_at: Date | null }[]>`
    select expires_at, revoked_at from visitor_sessions
    where id = ${claims.id} and channel_id = ${channelId} and business_id = ${claims.businessId}
      and visitor_id = ${claims.visitorId}`;
  if (row === undefined || row.revoked_at !== null) throw refused('was revoked');
  if (row.expires_at.getTime() <= Date.now()) throw refused('has expired');
  return { ...claims, externalId: claims.externalId, expiresAt: row.expires_at };
}

/** The channel that a token was given out for; whether the session still stands is another question. */
export function channelOfToken(secrets: Secrets, token: string): string | undefined {
  return openToken(secrets, token)?.channelId;
}

function openToken(secrets: Secrets, token: string): Claims | undefined {
  const text = secrets.open('visitor', token);
  return text === undefined ? undefined : (JSON.parse(text) as Claims);
}

function refused(why: string): AppError {
  return new AppError('unauthorized', `The visitor token ${why}: connect without it to begin anew.`);
}

/** A session that is used goes on for another 30 days. */
export async function renewVisitorSession(sql: Sql, session: VisitorSession): Promise<VisitorSession> {
  const expiresAt = new Date(Date.now() + VALID_FOR_MS);
  if (expiresAt.getTime() - session.expiresAt.getTime() < RENEW_AFTER_MS) return session;
  await sql`update visitor_sessions set expires_at = ${expiresAt} where id = ${session.id} and revoked_at is null`;
  return { ...session, expiresAt };
}

/** Ends one session: its token resumes nothing and its sockets are closed in every process. */
export async function revokeVisitorSession(sql: Sql, wake: Wake, sessionId: string): Promise<void> {
  await sql`update visitor_sessions set revoked_at = now() where id = ${sessionId} and revoked_at is null`;
  wake.notify('session');
}

/** Which of these sessions still stand. */
export async function standingVisitorSessions(sql: Sql, ids: readonly string[]): Promise<Set<string>> {
  if (ids.length === 0) return new Set();
  const rows = await sql<{ id: string }[]>`
    select s.id from visitor_sessions s join channels c on c.id = s.channel_id
    where s.id = any(${[...ids]}) and s.revoked_at is null and s.expires_at > now()
      and c.is_active and c.deleted_at is null`;
  return new Set(rows.map((row) => row.id));
}

/** How a visitor's uploads are marked as theirs. */
export function visitorUploader(visitorId: string): string {
  return `visitor:${visitorId}`;
}
