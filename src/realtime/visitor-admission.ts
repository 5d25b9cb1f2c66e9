import { z } from 'zod';
import type { LoadedChannel } from '../core/channels.ts';
import { isLoopback } from '../core/client-ip.ts';
import { identifyVisitor } from '../core/customers/visitor-identity.ts';
import {
  channelOfToken,
  findVisitorSession,
  openVisitorSession,
  renewVisitorSession,
  type VisitorSession,
} from '../core/customers/visitor-sessions.ts';
import { isTaken } from '../core/database/taken.ts';
import { AppError } from '../core/errors.ts';
import { isUuid, newId } from '../core/id.ts';
import type { RealtimeContext } from './context.ts';
import { type Identity, verifyIdentity } from './identity.ts';
import type { HandshakeAuth } from './protocol.ts';
import type { VisitorParty } from './socket.ts';

// What the handshake needs of a web chat's settings; the adapter's own schema checked them when they were stored.
const widget = z.object({ allowed_origins: z.array(z.string()), identity_secret: z.string().optional() });

interface Visit {
  auth: HandshakeAuth;
  ip: string | undefined;
  origin: string | undefined;
}

/** Admits whoever writes on a web site: as the visitor of their session, or as the person that the business vouches for. */
export async function admitVisitor(
  { auth, ip, origin }: Visit,
  context: RealtimeContext,
): Promise<VisitorParty> {
  const channel = await findWebchat(auth, context);
  const settings = widget.parse(channel.channel.settings);
  refuseForeignOrigin(origin, settings.allowed_origins);
  const identity =
    auth.identity_token === undefined
      ? undefined
      : await verifyIdentity(auth.identity_token, settings.identity_secret);
  const session = await sessionFor({ auth, ip, identity, channel }, context);
  return {
    side: 'visitor',
    ip,
    session,
    visitor: { ...session, threadKey: threadKeyOf(channel, session.visitorId) },
    vouched: { name: identity?.name, email: identity?.email },
  };
}

function threadKeyOf({ adapter }: LoadedChannel, visitorId: string): string {
  const threadKey = adapter.threadKeyFor?.(visitorId);
  if (threadKey === undefined) throw new Error('a web chat gives every visitor a thread');
  return threadKey;
}

async function findWebchat(auth: HandshakeAuth, context: RealtimeContext) {
  const id = auth.channel_id ?? (await likelyWebchat(auth, context));
  const channel = id !== undefined && isUuid(id) ? await context.channels.load(id) : undefined;
  const row = channel?.row;
  if (
    channel === undefined ||
    row?.business_id !== auth.business_id ||
    row.type !== 'webchat' ||
    !row.is_active
  ) {
    throw new AppError('not_found', 'This business has no such web chat.');
  }
  return channel;
}

/** That of the session to resume, else the default channel when it is a web chat, else the oldest active one. */
async function likelyWebchat(
  { business_id, visitor_token }: HandshakeAuth,
  { pool, secrets }: RealtimeContext,
): Promise<string | undefined> {
  const resumed = visitor_token === undefined ? undefined : channelOfToken(secrets, visitor_token);
  const [row] = await pool<{ id: string }[]>`
    select id from channels
    where business_id = ${business_id} and type = 'webchat' and is_active and deleted_at is null
    order by (id = ${resumed ?? null}) is true desc, is_default desc, created_at, id limit 1`;
  return row?.id;
}

/** Only browsers are held to it, since they alone cannot lie about their Origin: it is no authentication. */
function refuseForeignOrigin(origin: string | undefined, allowed: string[]): void {
  if (allowed.length === 0 || origin === undefined || allowed.includes('*') || allowed.includes(origin))
    return;
  throw new AppError('forbidden', 'This site may not use the web chat.');
}

interface Arrival {
  auth: HandshakeAuth;
  ip: string | undefined;
  identity: Identity | undefined;
  channel: LoadedChannel;
}

async function sessionFor(arrival: Arrival, context: RealtimeContext): Promise<VisitorSession> {
  const { auth, channel, identity } = arrival;
  const resumed =
    auth.visitor_token === undefined
      ? undefined
      : await findVisitorSession(context.pool, context.secrets, {
          token: auth.visitor_token,
          channelId: channel.row.id,
        });
  if (resumed !== undefined && (identity === undefined || identity.externalId === resumed.externalId)) {
    return renewVisitorSession(context.pool, resumed);
  }
  await limitSessions(arrival.ip, context);
  const visitorId =
    identity === undefined ? newId() : await identify(identity, { resumed, channel }, context);
  return openVisitorSession(context.pool, {
    businessId: channel.row.business_id,
    channelId: channel.row.id,
    visitorId,
    externalId: identity?.externalId,
  });
}

async function limitSessions(ip: string | undefined, { rateLimits, limits }: RealtimeContext): Promise<void> {
  if (ip === undefined || isLoopback(ip)) return;
  const quota = { points: limits.sessionsPerIpAndMinute, durationSeconds: 60 };
  const { allowed } = await rateLimits.consume('visitor-session', ip, quota);
  if (!allowed) throw new AppError('rate_limited', 'Too many new visitors from this address.');
}

interface Known {
  resumed: VisitorSession | undefined;
  channel: LoadedChannel;
}

async function identify(
  identity: Identity,
  { resumed, channel }: Known,
  context: RealtimeContext,
): Promise<string> {
  // A session of somebody else in the same browser says nothing about this person.
  const visitorId = resumed?.externalId === undefined ? resumed?.visitorId : undefined;
  const person = {
    ...identity,
    businessId: channel.row.business_id,
    channelId: channel.row.id,
    visitor:
      visitorId === undefined ? undefined : { id: visitorId, threadKey: threadKeyOf(channel, visitorId) },
  };
  const identified = async () => {
    const visitorId = await context.transact((tx) => identifyVisitor(tx, person));
    // The visitor may be somebody now who is blocked.
    context.wake.notify('blocked', person.businessId);
    return visitorId;
  };
  // Two browsers of one person signing in at once: the second look sees what the first made.
  return identified().catch((error: unknown) => {
    if (!isTaken(error)) throw error;
    return identified();
  });
}
