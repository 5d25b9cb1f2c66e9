import { standingApiKeys } from '../core/api-keys.ts';
import { standingVisitorSessions } from '../core/customers/visitor-sessions.ts';
import { type Loop, loop } from '../core/loop.ts';
import type { RealtimeContext } from './context.ts';
import { type Party, type RealtimeSocket, refuse } from './socket.ts';

const EVERY_MS = 10_000;

/** Closes sockets whose key or session was revoked or has expired, or whose channel is gone: at once when told, else soon. */
export function watchSessions(context: RealtimeContext): { stop(): Promise<void> } {
  const watching: Loop = loop({
    everyMs: EVERY_MS,
    async turn() {
      await closeEnded(context);
      return false;
    },
    onError: (error) => context.log.error({ err: error }, 'checking sessions failed'),
  });
  const unsubscribe = [context.wake.on('session', watching.wake), context.wake.on('channel', watching.wake)];
  return {
    async stop() {
      for (const off of unsubscribe) off();
      await watching.stop();
    },
  };
}

async function closeEnded({ io, pool, live }: RealtimeContext): Promise<void> {
  const sockets = [...io.of('/').sockets.values()];
  const peers = [...live.of([...live.keys()])];
  const liveKeys = peers.map(({ apiKeyId }) => apiKeyId);
  const keys = await standingApiKeys(pool, [...new Set([...idsOf(sockets, 'agent'), ...liveKeys])]);
  const sessions = await standingVisitorSessions(pool, idsOf(sockets, 'visitor'));
  for (const socket of sockets) {
    const { party } = socket.data;
    const standing = party.side === 'agent' ? keys : sessions;
    if (!standing.has(idOf(party))) end(socket);
  }
  for (const peer of peers) if (!keys.has(peer.apiKeyId)) peer.end();
}

function idsOf(sockets: RealtimeSocket[], side: Party['side']): string[] {
  const parties = sockets.map(({ data }) => data.party).filter((party) => party.side === side);
  return [...new Set(parties.map(idOf))];
}

/** The key or session by which somebody is here. */
function idOf(party: Party): string {
  return party.side === 'agent' ? party.actor.apiKeyId : party.session.id;
}

function end(socket: RealtimeSocket): void {
  const refusal = { code: 'unauthorized', message: 'The key or session of this socket has ended.' };
  refuse(socket, { event: 'session', refusal });
  socket.disconnect(true);
}
