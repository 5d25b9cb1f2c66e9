import type { Server as HttpServer } from 'node:http';
import { Server } from 'socket.io';
import type { CustomerTyping } from '../core/customers/typing-customers.ts';
import { followEvents } from '../core/events/follow-events.ts';
import { latestPosition } from '../core/events.ts';
import { parseRange } from '../core/ip-range.ts';
import { serveAgent } from './agents.ts';
import { type AgentTyping, announceAgentTyping, announceVisitorTyping } from './announce-typing.ts';
import { type Broadcast, createBroadcast } from './broadcast.ts';
import { attachCluster } from './cluster.ts';
import type { RealtimeContext, RealtimeDeps } from './context.ts';
import { closeSockets, type TrackedWork, trackWork, whenToReturn } from './drain.ts';
import { admit } from './handshake.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { createLive } from './live.ts';
import { createRegistry } from './registry.ts';
import { refusalOf } from './requests.ts';
import { watchSessions } from './session-watch.ts';
import type { Party, RealtimeServer, RealtimeSocket } from './socket.ts';
import { createTypingSigns } from './typing-signs.ts';
import { serveVisitor } from './visitors.ts';

export type { RealtimeDeps } from './context.ts';

export interface Realtime {
  readonly io: RealtimeServer;
  /** Begins to follow events, then takes sockets on this HTTP server. */
  attach(httpServer: HttpServer): Promise<void>;
  /** Shows that an agent types, for whoever says so other than by a socket. */
  announceTyping(typing: Omit<AgentTyping, 'from'>): void;
  /** Shows that a customer types, on a channel that tells us. */
  showCustomerTyping(typing: CustomerTyping): void;
  /** Tells every socket to come back later, lets work under way end, and closes them. The HTTP server stays its owner's. */
  close(options?: { retryAfterMs?: number }): Promise<void>;
}

type Stop = () => Promise<void>;

/** The sockets of agents and visitors in this process. */
export function createRealtime(deps: RealtimeDeps): Realtime {
  const work = trackWork();
  const context = contextOf(deps, work);
  const { io } = context;
  const live = createLive(context);
  const customers = createTypingSigns<CustomerTyping>((sign) => announceVisitorTyping(context, sign));
  const agents = createTypingSigns<Omit<AgentTyping, 'from'>>((sign) => announceAgentTyping(context, sign));
  const stops: Stop[] = [];

  return {
    io,
    announceTyping: agents.show,
    showCustomerTyping: customers.show,
    async attach(httpServer) {
      const cluster = await attachCluster(io as unknown as Server, deps.config.redis, deps.log);
      stops.push(cluster.close);
      const from = await latestPosition(deps.pool);
      const broadcast = createBroadcast(context, from);
      const follower = followEvents(
        {
          sql: deps.pool,
          wake: deps.wake,
          from,
          log: deps.log,
          feed: deps.feed,
          businesses: context.businesses.keys,
        },
        broadcast.publish,
      );
      stops.push(follower.stop);
      takeSockets(context, broadcast);
      stops.push(watchSessions(context).stop);
      io.attach(httpServer);
      live.attach(httpServer);
    },
    async close({ retryAfterMs } = {}) {
      for (const signs of [customers, agents]) signs.stop();
      await Promise.all([closeSockets(io, work, retryAfterMs), live.close(() => whenToReturn(retryAfterMs))]);
      for (const stop of stops.splice(0).reverse()) await stop();
    },
  };
}

function contextOf(deps: RealtimeDeps, work: TrackedWork): RealtimeContext {
  const limits = { ...DEFAULT_LIMITS, ...deps.limits };
  const io: RealtimeServer = new Server({
    // The browser may read our answers from anywhere; who may connect is decided in the handshake.
    cors: { origin: true },
    maxHttpBufferSize: limits.maxPacketBytes,
    connectTimeout: 10_000,
    // Upgrades at other addresses are for the plain sockets to take or refuse.
    destroyUpgrade: false,
  });
  return {
    ...deps,
    io,
    limits,
    trusted: deps.config.trustedProxies.map(parseRange),
    crowd: createRegistry(),
    businesses: createRegistry(),
    live: createRegistry(),
    heldAgents: createRegistry(),
    visitors: createRegistry(),
    track: work.track,
  };
}

function takeSockets(context: RealtimeContext, broadcast: Broadcast): void {
  context.io.use((socket, next) => {
    admit(socket, context).then(
      (party) => {
        socket.data.party = party;
        next();
      },
      (error: unknown) => next(connectError(error, context)),
    );
  });
  context.io.on('connection', (socket) => serve(socket, context, broadcast));
}

/** What the client hears as `connect_error`: the message, and the code in `data`. */
function connectError(error: unknown, { log }: RealtimeContext): Error {
  const refusal = refusalOf(error, log);
  return Object.assign(new Error(refusal.message), { data: refusal });
}

function serve(socket: RealtimeSocket, context: RealtimeContext, broadcast: Broadcast): void {
  const { party } = socket.data;
  const leaveCrowd = context.crowd.add([party.ip ?? 'unknown'], socket.id);
  const leaveBusiness = context.businesses.add([businessOf(party)], socket.id);
  socket.on('disconnect', () => {
    leaveCrowd();
    leaveBusiness();
  });
  if (party.side === 'agent') serveAgent(socket, { party, broadcast }, context);
  else serveVisitor(socket, { party, broadcast }, context);
}

function businessOf(party: Party): string {
  return party.side === 'agent' ? party.actor.businessId : party.session.businessId;
}
