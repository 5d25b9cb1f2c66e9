import type { IncomingHttpHeaders } from 'node:http';
import { isIP } from 'node:net';
import { authenticate } from '../core/api-keys.ts';
import { clientAddress, isLoopback } from '../core/client-ip.ts';
import { AppError, detailsOf } from '../core/errors.ts';
import { decodeCursor } from '../core/events.ts';
import type { IpRange } from '../core/ip-range.ts';
import type { RealtimeContext } from './context.ts';
import { type HandshakeAuth, handshakeAuth } from './protocol.ts';
import type { AgentParty, Party, RealtimeSocket } from './socket.ts';
import { admitVisitor } from './visitor-admission.ts';

/** Finds out who connects. Throws the refusal that the client sees as `connect_error`. */
export async function admit(socket: RealtimeSocket, context: RealtimeContext): Promise<Party> {
  const ip = addressOf(socket.handshake, context.trusted);
  refuseCrowd(ip, context);
  const auth = parseAuth(socket.handshake.auth);
  const { token } = auth;
  if (token !== undefined && token !== null) return admitAgent({ ...auth, token }, ip, context);
  return admitVisitor({ auth, ip, origin: socket.handshake.headers.origin }, context);
}

interface Caller {
  headers: IncomingHttpHeaders;
  address: string;
}

/** Where somebody connects from, as far as our proxies can be believed. */
export function addressOf({ headers, address }: Caller, trusted: IpRange[]): string | undefined {
  const forwarded = headers['x-forwarded-for'];
  const forwardedFor = Array.isArray(forwarded) ? forwarded.join(',') : forwarded;
  const peer = isIP(address) === 0 ? undefined : address;
  return clientAddress({ peer, forwardedFor }, trusted);
}

/** This machine itself is a developer or a proxy that nobody named in TRUSTED_PROXIES: its many sockets are many people. */
export function refuseCrowd(ip: string | undefined, { crowd, limits }: RealtimeContext): void {
  if (ip === undefined || isLoopback(ip) || crowd.count(ip) < limits.socketsPerIp) return;
  throw new AppError('rate_limited', 'Too many connections from this address.');
}

function parseAuth(auth: unknown): HandshakeAuth {
  const parsed = handshakeAuth.safeParse(auth);
  if (parsed.success) return parsed.data;
  const details = detailsOf(parsed.error);
  throw new AppError('invalid_request', 'The handshake needs auth.business_id.', { details });
}

async function admitAgent(
  auth: HandshakeAuth & { token: string },
  ip: string | undefined,
  { pool, secrets }: RealtimeContext,
): Promise<AgentParty> {
  const actor = await authenticate(pool, auth.token);
  if (actor.businessId !== auth.business_id) {
    throw new AppError('invalid_api_key', 'This API key is not one of that business.');
  }
  const after = auth.after === undefined ? undefined : decodeCursor(auth.after, secrets);
  return { side: 'agent', ip, actor, after };
}
