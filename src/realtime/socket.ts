import type { Server, Socket } from 'socket.io';
import type { Actor } from '../core/api-keys.ts';
import type { VisitorSession } from '../core/customers/visitor-sessions.ts';
import type { Position } from '../core/events.ts';
import type { Refusal } from './protocol.ts';
import type { Visitor } from './visitor-conversations.ts';

/** Who is at the other end of a socket, as the handshake found out. */
export type Party = AgentParty | VisitorParty;

export interface AgentParty {
  side: 'agent';
  ip: string | undefined;
  actor: Actor;
  /** Where the client was when it left; undefined where it begins now. */
  after: Position | undefined;
}

export interface VisitorParty {
  side: 'visitor';
  ip: string | undefined;
  session: VisitorSession;
  visitor: Visitor;
  /** Name and email that the business vouches for. */
  vouched: { name: string | undefined; email: string | undefined };
}

interface SocketData {
  party: Party;
}

// Events are checked where they arrive (schemas) and leave (Frame), so the maps of socket.io stay open.
type AnyEvents = Record<string, (...args: unknown[]) => void>;
export type RealtimeServer = Server<AnyEvents, AnyEvents, AnyEvents, SocketData>;
export type RealtimeSocket = Socket<AnyEvents, AnyEvents, AnyEvents, SocketData>;

export type Ack = (answer: unknown) => void;

/** Says no: in the ack where the client asked for one, else as the event `error`. */
export function refuse(socket: RealtimeSocket, { event, refusal, ack }: Refused): void {
  if (ack === undefined) socket.emit('error', { event, ...refusal });
  else ack({ error: refusal });
}

interface Refused {
  event: string;
  refusal: Refusal;
  ack?: Ack | undefined;
}

/** The ack of a packet, where the client asked for one. */
export function ackOf(args: readonly unknown[]): Ack | undefined {
  const last = args.at(-1);
  return typeof last === 'function' ? (last as Ack) : undefined;
}
