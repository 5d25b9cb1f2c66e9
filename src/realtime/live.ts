import type { IncomingMessage, Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { AppError } from '../core/errors.ts';
import { newId } from '../core/id.ts';
import type { LivePeer, RealtimeContext } from './context.ts';
import { within } from './drain.ts';
import { keepAlive } from './heartbeat.ts';
import { type Admitted, admitLive, KEY_FOLLOWS, refuseUpgrade } from './live-admission.ts';
import type { LiveFrame } from './live-frames.ts';

const PATH = /^\/support\/conversations\/live\/?$/;
/** A client that lets this much pile up unread will never catch up. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024;
const HEARTBEAT_MS = 25_000;
const CLOSE_WITHIN_MS = 500;
const POLICY_VIOLATION = 1008;
const SERVICE_RESTART = 1012;

/** The plain WebSockets of this process, in the shapes of the support dialect. */
export interface Live {
  /** Takes the upgrades of an HTTP server that Socket.IO leaves, and refuses all others. */
  attach(httpServer: Server): void;
  /** Tells every socket to come back later, and closes it. */
  close(retryAfter: () => number): Promise<void>;
}

/** What is heard comes by way of the context's `live` peers. */
export function createLive(context: RealtimeContext): Live {
  const { io, limits, log } = context;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: limits.maxPacketBytes,
    handleProtocols: (offered) => offered.has(KEY_FOLLOWS) && KEY_FOLLOWS,
  });
  let heartbeat: NodeJS.Timeout | undefined;
  let isClosing = false;

  async function take(request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
    // Whoever leaves meanwhile must not bring the process down.
    socket.on('error', () => socket.destroy());
    try {
      const url = URL.parse(request.url ?? '/', 'http://localhost');
      if (url === null || !PATH.test(url.pathname))
        throw new AppError('not_found', 'There is nothing at this address.');
      const ticket = url.searchParams.get('ticket') ?? undefined;
      const admitted = await admitLive({ request, ticket }, context);
      if (isClosing) throw new AppError('unavailable', 'Shutting down: connect again.');
      server.handleUpgrade(request, socket, head, (client) => serve(client, admitted, context));
    } catch (error) {
      refuseUpgrade(socket, error, log);
    }
  }

  return {
    attach(httpServer) {
      heartbeat = keepAlive(server, HEARTBEAT_MS);
      httpServer.on('upgrade', (request, socket, head) => {
        if (!request.url?.startsWith(`${io.path()}/`)) context.track(take(request, socket, head));
      });
    },
    async close(retryAfter) {
      isClosing = true;
      clearInterval(heartbeat);
      const clients = [...server.clients];
      const closed = clients.map((client) => new Promise((resolve) => client.once('close', resolve)));
      for (const client of clients) {
        const goodbye: LiveFrame = { type: 'draining', data: { retryAfterMs: retryAfter() } };
        client.send(JSON.stringify(goodbye));
        client.close(SERVICE_RESTART, 'restarting');
      }
      await within(CLOSE_WITHIN_MS, () => Promise.all(closed));
      for (const client of clients) client.terminate();
    },
  };
}

/** From here on the socket hears everything of its business. What it says is not listened to. */
function serve(
  client: WebSocket,
  { actor, ip }: Admitted,
  { crowd, businesses, live }: RealtimeContext,
): void {
  const id = newId();
  const peer: LivePeer = {
    apiKeyId: actor.apiKeyId,
    send(text) {
      if (client.readyState !== client.OPEN) return;
      if (client.bufferedAmount > MAX_BUFFERED_BYTES) client.terminate();
      else client.send(text);
    },
    end: () => client.close(POLICY_VIOLATION, 'The key of this socket has ended.'),
  };
  const leaves = [
    crowd.add([ip ?? 'unknown'], id),
    businesses.add([actor.businessId], id),
    live.add([actor.businessId], peer),
  ];
  client.on('close', () => {
    for (const leave of leaves) leave();
  });
  // A frame that is none closes the socket; there is nothing else to do about it.
  client.on('error', () => client.terminate());
}
