import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Serve = (response: ServerResponse, request: IncomingMessage) => void;

/** Somebody's web server: each path answers as the test says, any other 404. */
export interface FileServer {
  origin: string;
  /** Serves bytes, or answers as told, at a path of its own; gives the address. */
  at(path: string, serve: Serve | Buffer | string): string;
  /** Paths that were asked for, in order. */
  asked: string[];
  close(): Promise<void>;
}

export async function startFileServer(): Promise<FileServer> {
  const served = new Map<string, Serve>();
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    asked.push(path);
    const serve = served.get(path);
    if (serve === undefined) response.writeHead(404).end();
    else serve(response, request);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    origin,
    asked,
    at(path, serve) {
      served.set(path, typeof serve === 'function' ? serve : (response) => void response.end(serve));
      return origin + path;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
