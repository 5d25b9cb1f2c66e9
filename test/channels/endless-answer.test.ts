import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { apiAdapter } from '../../src/channels/api/adapter.ts';
import { apiSettings } from '../../src/channels/api/settings.ts';
import { createAccessTokens } from '../../src/channels/email/oauth.ts';
import { createCall } from '../../src/channels/shared/twilio/client.ts';
import { createTransport } from '../../src/channels/telegram/transport.ts';
import { createGraph } from '../../src/channels/whatsapp/cloud/graph.ts';
import { createEgress } from '../../src/core/egress.ts';

const MEGABYTE = 1024 * 1024;
// What a server can write before it notices that nobody reads any more.
const MOST = 40 * MEGABYTE;
const egress = createEgress({ allow: ['127.0.0.0/8'] });
let server: Server;
let root: string;
let written = 0;

beforeAll(async () => {
  server = createServer((_request, response) => {
    written = 0;
    response.writeHead(200, { 'content-type': 'application/json' });
    writeOn(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  await egress.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function writeOn(response: ServerResponse): void {
  if (response.destroyed || written > 4 * MOST) return void response.end();
  written += MEGABYTE;
  response.write(Buffer.alloc(MEGABYTE, ' '), () => writeOn(response));
}

const cloud = { access_token: 'token', api_version: 'v24.0' };
const twilio = { account_sid: `AC${'0'.repeat(32)}`, auth_token: '0'.repeat(32) };
const oauth = { provider: 'google', client_id: 'us', refresh_token: 'once' };

const CALLS: Record<string, () => Promise<unknown>> = {
  'a program of the business': () => {
    const channel = { id: 'c', businessId: 'b', settings: apiSettings.parse({ callback_url: root }) };
    const part = { n: 0, threadKey: 'someone', payload: { id: 'm' }, attachments: [] };
    return Promise.resolve(apiAdapter({ egress }).send?.(part, channel, AbortSignal.timeout(20_000)));
  },
  Meta: () => createGraph(egress)({ ...cloud, api_root: root } as never, { path: '1' }),
  Twilio: () =>
    createCall(egress)({ ...twilio, api_root: root } as never, (client) =>
      client.api.v2010.accounts(twilio.account_sid).fetch(),
    ),
  Telegram: async () => {
    const options = { dispatcher: egress.dispatcher, signal: AbortSignal.timeout(20_000) };
    const post = createTransport({ ...options, wire: { written: false } });
    return (await post(root, { method: 'POST', headers: {}, body: '{}' })).json();
  },
  'a giver of tokens': () =>
    createAccessTokens(egress).token({
      id: 'c',
      businessId: 'b',
      settings: { oauth: { ...oauth, token_url: root } },
    } as never),
};

it.each(Object.keys(CALLS))('stops reading what %s answers without end', async (who) => {
  await CALLS[who]?.().catch(() => {});
  expect(written).toBeGreaterThan(0);
  expect(written).toBeLessThan(MOST);
});
