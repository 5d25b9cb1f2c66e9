import { once } from 'node:events';
import type { IncomingMessage, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import type { Config } from './core/config.ts';
import type { Log } from './core/log.ts';

interface ListenOptions {
  config: Config;
  log: Log;
  /** Puts the sockets on the server before it listens. */
  attach: ((server: Server) => Promise<void>) | undefined;
}

// Longer than balancers keep a connection that nobody uses (most of them a minute): who closes it must not be us, or a
// request that is just being sent on it is lost.
const KEPT_OPEN_MS = 75_000;

type Fetch = Parameters<typeof createAdaptorServer>[0]['fetch'];

/** Serves HTTP on the configured address. A worker only answers for its health: where its port is taken, it does without. */
export async function listen(fetch: Fetch, { config, log, attach }: ListenOptions) {
  // Its own global Request must stand: the body limit makes a new one of each chunked body. A balancer's check may name no host.
  const server = createAdaptorServer({
    fetch,
    hostname: 'localhost',
    serverOptions: { shouldUpgradeCallback, keepAliveTimeout: KEPT_OPEN_MS },
  }) as Server;
  await attach?.(server);
  try {
    server.listen(config.port, config.host);
    await once(server, 'listening');
  } catch (error) {
    if (config.role !== 'worker') throw error;
    log.warn({ port: config.port }, 'the port is taken: this worker has no health check');
    return undefined;
  }
  return { url: urlOf(server, config.host), close: () => close(server) };
}

/** Programs that would rather speak HTTP/2 (Java's, curl's) ask for it by the way, and are content with an answer as it is. */
function shouldUpgradeCallback({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket';
}

function urlOf(server: Server, host: string): string {
  const { port } = server.address() as AddressInfo;
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

/** Takes no new request and waits for the answers under way; connections that are only kept open are closed. */
async function close(server: Server): Promise<void> {
  const closed = once(server, 'close');
  // What is answered from here on is kept open no more.
  server.keepAliveTimeout = 1;
  server.keepAliveTimeoutBuffer = 0;
  server.close();
  server.closeIdleConnections();
  await closed;
}
