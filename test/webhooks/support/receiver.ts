import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Received {
  headers: IncomingHttpHeaders;
  body: string;
  path: string;
  at: number;
  /** Which of our addresses the request came to. */
  localAddress: string | undefined;
}

export interface Receiver {
  url: string;
  port: number;
  received: Received[];
  /** Set to answer otherwise than with an empty 200. */
  answer: (request: Received, response: ServerResponse, incoming: IncomingMessage) => void;
  /** Ends kept connections, so that the next request needs a new one. */
  closeConnections(): void;
  close(): Promise<void>;
}

/** A subscriber's server on loopback that keeps what it got. */
export async function startReceiver(host = '127.0.0.1'): Promise<Receiver> {
  const server = createServer(async (incoming, response) => {
    let body = '';
    for await (const chunk of incoming.setEncoding('utf8')) body += chunk;
    const { localAddress } = incoming.socket;
    const request = {
      headers: incoming.headers,
      body,
      path: incoming.url ?? '',
      at: Date.now(),
      localAddress,
    };
    receiver.received.push(request);
    receiver.answer(request, response, incoming);
  });
  server.listen(0, host);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const receiver: Receiver = {
    url: `http://127.0.0.1:${port}/hook`,
    port,
    received: [],
    answer: (_request, response) => response.end(),
    closeConnections: () => server.closeAllConnections(),
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return receiver;
}
