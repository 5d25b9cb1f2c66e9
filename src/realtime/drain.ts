import type { RealtimeServer, RealtimeSocket } from './socket.ts';

const WORK_WITHIN_MS = 5_000;
const FLUSH_WITHIN_MS = 500;
const DEFAULT_RETRY_AFTER_MS = 1_000;
/** Clients come back spread over this long, not all at once. */
const SPREAD_MS = 4_000;

export interface TrackedWork {
  track(work: Promise<void>): void;
  /** Resolves when all of it has ended, or after a while. */
  settled(): Promise<void>;
}

/** Remembers work under way, so that a stop can let it end. */
export function trackWork(): TrackedWork {
  const running = new Set<Promise<void>>();
  return {
    track(work) {
      const ended = work.finally(() => running.delete(ended));
      running.add(ended);
    },
    settled: () => within(WORK_WITHIN_MS, () => Promise.allSettled([...running])),
  };
}

/** Says goodbye, lets what was asked be answered, and closes the connections, so that clients reconnect by themselves. */
export async function closeSockets(
  io: RealtimeServer,
  work: TrackedWork,
  retryAfterMs?: number,
): Promise<void> {
  const sockets = [...io.of('/').sockets.values()];
  for (const socket of sockets) socket.emit('draining', { retry_after_ms: whenToReturn(retryAfterMs) });
  await work.settled();
  await within(FLUSH_WITHIN_MS, () => Promise.all(sockets.map(closeConnection)));
  // Absent while no HTTP server was ever given.
  io.engine?.close();
}

/** When one client should come back; each another time. */
export function whenToReturn(retryAfterMs: number = DEFAULT_RETRY_AFTER_MS): number {
  return Math.round(retryAfterMs + Math.random() * SPREAD_MS);
}

/** The connection, not the session of the namespace: a client told "disconnect" by us would never come back. */
function closeConnection(socket: RealtimeSocket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('disconnect', () => resolve());
    socket.conn.close();
  });
}

/** Waits for the work, but no longer than this. */
export async function within(ms: number, work: () => Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([work(), late]);
  clearTimeout(timer);
}
