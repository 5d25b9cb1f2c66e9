import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Actor } from '../core/actor.ts';
import { authenticate, keyInHeaders, keyMissing } from '../core/api-keys.ts';
import { AppError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { redeemTicket } from '../core/realtime-tickets.ts';
import { viewSupportError } from '../core/views/support-error.ts';
import type { RealtimeContext } from './context.ts';
import { addressOf, refuseCrowd } from './handshake.ts';

/** The subprotocol that stands before the key where a browser cannot set a header. */
export const KEY_FOLLOWS = 'bearer';

export interface Admitted {
  actor: Actor;
  ip: string | undefined;
}

interface Asking {
  request: IncomingMessage;
  /** What its address holds instead of a key. */
  ticket: string | undefined;
}

/** Finds out who asks for a plain WebSocket. Throws the refusal. */
export async function admitLive({ request, ticket }: Asking, context: RealtimeContext): Promise<Admitted> {
  const { headers, socket } = request;
  const ip = addressOf({ headers, address: socket.remoteAddress ?? '' }, context.trusted);
  refuseCrowd(ip, context);
  const key =
    keyInHeaders(headers.authorization, headerText(headers['x-api-key'])) ?? keyInProtocols(request);
  if (key !== undefined) return { actor: await authenticate(context.pool, key), ip };
  if (ticket === undefined) throw keyMissing();
  return { actor: await redeemTicket(context.pool, ticket), ip };
}

function headerText(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}

/** `Sec-WebSocket-Protocol: bearer, KEY` is what `new WebSocket(url, ['bearer', KEY])` sends. */
function keyInProtocols({ headers }: IncomingMessage): string | undefined {
  const [first, key] = (headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  return first === KEY_FOLLOWS && key !== '' ? key : undefined;
}

/** Answers an upgrade that does not happen, in words of HTTP. */
export function refuseUpgrade(socket: Duplex, error: unknown, log: Log): void {
  const refusal = error instanceof AppError ? error : unexpected(error, log);
  const status = STATUS[refusal.code] ?? 401;
  const body = JSON.stringify(viewSupportError(refusal));
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  // A client that never closes its half would hold up a stop.
  socket.once('finish', () => socket.destroy());
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}

// Everything else that can be wrong here is a key or a ticket.
const STATUS: Partial<Record<AppError['code'], number>> = {
  not_found: 404,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

function unexpected(error: unknown, log: Log): AppError {
  log.error({ err: error }, 'a socket could not be opened');
  return new AppError('unavailable', 'Try again later.', { cause: error });
}
