import { once } from 'node:events';
import type { Server } from 'node:http';
import { type AddressInfo, connect as connectTcp } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '../../src/core/config.ts';
import { createLog } from '../../src/core/log.ts';
import { listen } from '../../src/server.ts';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';
import { eventually } from '../support/gateway.ts';

let api: TestApi;
let acme: TestBusiness;
const servers: { url: string; server: Server }[] = [];

beforeAll(async () => {
  api = await startApi();
  acme = await api.business();
  for (const overrideGlobalObjects of [true, false]) {
    const server = createAdaptorServer({ fetch: api.app.fetch, overrideGlobalObjects }) as Server;
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    servers.push({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/api/v1`, server });
  }
});
afterAll(async () => {
  for (const { server } of servers) {
    server.closeAllConnections();
    server.close();
  }
  await api.stop();
});

/** A body of no declared length. */
function chunked(text: string): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (let at = 0; at < text.length; at += 65_536)
        controller.enqueue(Buffer.from(text.slice(at, at + 65_536)));
      controller.close();
    },
  });
}

async function send(url: string, method: string, body?: string | ReadableStream): Promise<Response> {
  const headers = { authorization: `Bearer ${acme.key}`, 'content-type': 'application/json' };
  return fetch(url, {
    method,
    headers,
    ...(body === undefined ? {} : { body, duplex: 'half' }),
  } as RequestInit);
}

describe('over a real connection', () => {
  it('takes requests without a body, with a declared length and chunked', async () => {
    for (const { url } of servers) {
      for (const body of ['{"name":"x"}', chunked('{"name":"x"}')]) {
        const created = await send(`${url}/api-keys`, 'POST', body);
        expect(created.status).toBe(201);
        const { id } = (await created.json()) as { id: string };
        expect((await send(`${url}/api-keys/${id}`, 'DELETE')).status).toBe(204);
      }
    }
  });

  it('answers who would rather speak HTTP/2, and a check of HTTP/1.0 that names no host', async () => {
    const config = { ...readConfig({}), host: '127.0.0.1', port: 0 };
    const attach = async (server: Server) => void server.on('upgrade', (_, socket) => socket.destroy());
    const listening = await listen(api.app.fetch, { config, log: createLog('silent'), attach });
    const { port } = new URL(listening?.url ?? '');
    const statusOf = async (lines: string[]) => {
      const socket = connectTcp(Number(port), '127.0.0.1');
      socket.write(`${lines.join('\r\n')}\r\n\r\n`);
      const [answer] = (await once(socket, 'data')) as [Buffer];
      socket.destroy();
      return answer.toString().slice(9, 12);
    };
    const upgrade = [
      'Connection: Upgrade, HTTP2-Settings',
      'Upgrade: h2c',
      'HTTP2-Settings: AAMAAABkAAQAAP__',
    ];
    expect(await statusOf(['GET /health/live HTTP/1.1', 'Host: x', ...upgrade])).toBe('200');
    expect(await statusOf(['GET /health/ready HTTP/1.0'])).toBe('200');
    await listening?.close();
  });

  it('reads a body no further than its limit', async () => {
    const large = JSON.stringify({ name: 'x'.repeat(3_000_000) });
    for (const { url } of servers) {
      for (const body of [large, chunked(large)]) {
        const answer = await send(`${url}/api-keys`, 'POST', body).catch((error: unknown) => error);
        // Node may close the connection while the rest is still on its way; what counts is that nothing was made of it.
        if (answer instanceof Response) expect(answer.status).toBe(413);
      }
      // The client may try it first on a connection that is just being closed.
      await eventually(async () => expect((await send(`${url}/business`, 'GET')).status).toBe(200));
    }
  });
});
