import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFetchLane } from '../../src/core/attachments/fetch.ts';
import { newId } from '../../src/core/id.ts';
import type { Lease } from '../../src/core/lanes.ts';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';
import { type FileServer, startFileServer } from '../support/file-server.ts';
import { eventually } from '../support/gateway.ts';

let api: TestApi;
let business: TestBusiness;
let server: FileServer;

beforeAll(async () => {
  api = await startApi();
  business = await api.business();
  server = await startFileServer();
});
afterAll(async () => {
  await server.close();
  await api.stop();
});

async function messageWith(url: string): Promise<string> {
  const { key } = business;
  const post = (path: string, body: unknown) => api.call('POST', path, { key, body });
  const channel = await post('/api/v1/channels', { type: 'webchat', config: {} });
  const customer = await post('/api/v1/customers', { name: 'Ada' });
  const about = { business_id: business.id, channel_id: channel.body.id, customer_id: customer.body.id };
  const conversation = await post('/api/v1/conversations', about);
  const message = { content: 'Look', attachments: [{ url }] };
  const answer = await post(`/api/v1/conversations/${conversation.body.id}/messages`, message);
  return answer.body.attachments[0].id;
}

/** Takes the lane over from whoever has it. */
async function takeLease(id: string, signal: AbortSignal): Promise<Lease> {
  const [key, token] = [`fetch:${id}`, newId()];
  await api.pool`
    insert into lanes (key, lease_token) values (${key}, ${token})
    on conflict (key) do update set lease_token = excluded.lease_token`;
  return { key, token, signal, draining: false, woken: () => new Promise(() => {}) };
}

it('keeps the bytes that another process has fetched since it lost the lane', async () => {
  const held: ServerResponse[] = [];
  const url = server.at('/slow.txt', (response) => void held.push(response));
  const id = await messageWith(url);
  const lane = createFetchLane(api.deps);
  const lost = new AbortController();
  const first = lane.work(id, await takeLease(id, lost.signal));
  await eventually(() => expect(held).toHaveLength(1));
  const second = lane.work(id, await takeLease(id, new AbortController().signal));
  await eventually(() => expect(held).toHaveLength(2));
  held[1]?.end('what was fetched');
  await second;
  lost.abort();
  await first;
  const [row] = await api.pool<{ state: string; storage_key: string }[]>`
    select state, storage_key from attachments where id = ${id}`;
  expect(row?.state).toBe('ready');
  expect(String(await api.deps.attachments.files.read(row?.storage_key ?? ''))).toBe('what was fetched');
});
