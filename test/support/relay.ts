import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

export interface Relay {
  /** The given URL, by way of the relay. */
  url: string;
  /** As if the server went away: open connections break, new ones are refused. */
  cut(): Promise<void>;
  /** Where connections lead from now on, when the server came back elsewhere. */
  restore(elsewhere?: string): Promise<void>;
  stop(): Promise<void>;
}

/** Stands between us and a server that tests cannot stop, so that it can go away and come back. */
export async function startRelay(targetUrl: string): Promise<Relay> {
  let target = new URL(targetUrl);
  const sockets = new Set<Socket>();
  let server = await listen(0);
  const { port } = server.address() as AddressInfo;

  async function listen(onPort: number): Promise<Server> {
    const opened = createServer((inner) => {
      const outer = connect(Number(target.port), target.hostname);
      for (const [socket, other] of [
        [inner, outer],
        [outer, inner],
      ] as const) {
        sockets.add(socket);
        socket.setNoDelay(true);
        socket.on('error', () => {});
        socket.on('close', () => {
          sockets.delete(socket);
          other.destroy();
        });
        socket.pipe(other);
      }
    });
    opened.listen(onPort, '127.0.0.1');
    await once(opened, 'listening');
    return opened;
  }

  async function cut(): Promise<void> {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  const url = new URL(targetUrl);
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    cut,
    restore: async (elsewhere = target.href) => {
      target = new URL(elsewhere);
      server = await listen(port);
    },
    stop: cut,
  };
}
