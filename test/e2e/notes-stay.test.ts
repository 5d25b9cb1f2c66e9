import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRegistry } from '../../src/channels/registry.ts';
import { newId } from '../../src/core/id.ts';
import { PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { INTERNAL, PUBLIC, workInside } from '../support/internal-work.ts';

let gateway: TestGateway;
let http: Server;
let mail: SMTPServer;
let root: string;
/** Every request and every mail that left, whole. */
const left: string[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  http = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    left.push(`${request.method} ${request.url} ${JSON.stringify(request.headers)} ${body} ${decoded(body)}`);
    response
      .writeHead(200, { 'content-type': 'application/json' })
      .end(JSON.stringify(taken(request.method)));
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  root = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
  mail = new SMTPServer({
    authOptional: true,
    closeTimeout: 500,
    disabledCommands: ['STARTTLS'],
    onData(stream, _session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', async () => {
        const { text, html } = await simpleParser(Buffer.concat(chunks));
        left.push(Buffer.concat(chunks).toString(), `${text} ${html}`);
        done();
      });
    },
  });
  await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', () => resolve()));
});
afterAll(async () => {
  await gateway.stop();
  http.closeAllConnections();
  http.close();
  await new Promise<void>((resolve) => mail.close(() => resolve()));
});

const decoded = (body: string) => [...new URLSearchParams(body).values()].join(' ');

/** What each provider's answer needs to say that a message was taken. */
function taken(method: string | undefined): object {
  const id = newId();
  return {
    ok: true,
    result: { id: 1, is_bot: true, first_name: 'bot', username: 'bot', url: '', message_id: left.length },
    messages: [{ id: `wamid.${id}` }],
    sid: `SM${id.replaceAll('-', '')}`,
    status: method === 'GET' ? 'active' : 'queued',
  };
}

const TWILIO = { account_sid: `AC${'0'.repeat(32)}`, auth_token: '0'.repeat(32) };
const digits = (count: number) => String(10 ** (count - 1) + Math.floor(Math.random() * 10 ** (count - 1)));

/** A channel of every type, and somebody who is known there. */
const CHANNELS: Record<string, { type: string; config: () => object; address: string }> = {
  api: { type: 'api', config: () => ({ callback_url: `${root}/callback` }), address: 'somebody' },
  email: {
    type: 'email',
    config: () => ({
      address: `support${digits(6)}@acme.example`,
      smtp: { host: '127.0.0.1', port: (mail.server.address() as AddressInfo).port },
      quote_history: true,
    }),
    address: 'ada@customer.example',
  },
  sms: {
    type: 'sms',
    config: () => ({ ...TWILIO, from: `+1500555${digits(4)}`, api_root: root }),
    address: '+15551234567',
  },
  telegram: {
    type: 'telegram',
    config: () => ({ bot_token: `${digits(9)}:${'A'.repeat(35)}`, api_root: root }),
    address: '4711',
  },
  'whatsapp (cloud)': {
    type: 'whatsapp',
    config: () => ({
      provider: 'cloud',
      phone_number_id: digits(15),
      access_token: 'EAA-token',
      app_secret: 'app-secret',
      api_root: root,
    }),
    address: '+15551234567',
  },
  'whatsapp (twilio)': {
    type: 'whatsapp',
    config: () => ({ provider: 'twilio', ...TWILIO, from: `+1500666${digits(4)}`, api_root: root }),
    address: '+15551234567',
  },
};

/** A conversation in which a customer of the channel has written. */
async function conversationOn(name: string): Promise<string> {
  const { type, config, address } = CHANNELS[name] as (typeof CHANNELS)[string];
  const created = await gateway.call<{ id: string }>('POST', '/api/v1/channels', { type, config: config() });
  expect([name, created.status, created.status === 201 ? '' : created.body]).toEqual([name, 201, '']);
  const channelId = created.body.id;
  const { pool, businessId } = gateway;
  // Whatever connecting made of this answering machine: it takes messages.
  await pool`update channels set broken_at = null, broken_reason = null where id = ${channelId}`;
  const adapter = createRegistry({} as never).get(type);
  const threadKey = adapter?.threadKeyFor?.(address) ?? address;
  const [customerId, id] = [newId(), newId()];
  const ids = { business_id: businessId, channel_id: channelId };
  await pool.begin(async (tx) => {
    await tx`insert into customers (id, business_id, name, email) values (${customerId}, ${businessId}, 'Ada', ${address.includes('@') ? address : null})`;
    await tx`insert into identities ${tx({ id: newId(), ...ids, customer_id: customerId, kind: 'id', address })}`;
    await tx`
      insert into conversations (id, business_id, channel_id, channel_type, thread_key, customer_id, subject,
        reply_window_expires_at, last_message_seq, last_public_seq)
      values (${id}, ${businessId}, ${channelId}, ${type}, ${threadKey}, ${customerId}, 'Question',
        now() + interval '1 day', 1, 1)`;
    await tx`insert into threads ${tx({ ...ids, thread_key: threadKey, conversation_id: id, customer_id: customerId })}`;
    await tx`
      insert into messages (id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type, type,
        content, external_id)
      values (${newId()}, ${businessId}, ${id}, ${channelId}, ${customerId}, 1, 'inbound', 'customer', 'text', 'Hello',
        ${`first-${id}`})`;
  });
  return id;
}

describe('no note, activity or draft leaves', () => {
  it('by a channel that this test does not know', () => {
    const types = [...createRegistry({} as never).keys()].filter((type) => type !== 'webchat');
    expect(new Set(Object.values(CHANNELS).map(({ type }) => type))).toEqual(new Set(types));
  });

  for (const name of Object.keys(CHANNELS)) {
    it(`by ${name}, while the answers do`, async () => {
      const id = await conversationOn(name);
      const before = left.length;
      // What is quoted below an answer is what came before it.
      const rounds = name === 'email' ? 2 : 1;
      for (let round = 0; round < rounds; round++) await workInside(gateway, id);
      await eventually(async () => {
        const rows = await gateway.pool<{ content: string; status: string; error: unknown }[]>`
          select content, status, error from messages where conversation_id = ${id} and content = ${`${PUBLIC} answer`}`;
        expect(rows.map(({ status, error }) => [status, error])).toEqual(Array(rounds).fill(['sent', null]));
      });
      await gateway.call('POST', `/api/v1/conversations/${id}/read`, {});
      await gateway.call('POST', `/api/v1/conversations/${id}/typing`, { is_typing: true });
      await gateway.call('PUT', `/api/v1/conversations/${id}/close`);
      await new Promise((resolve) => setTimeout(resolve, 300));
      const sent = left.slice(before).join('\n');
      expect(sent).toContain(PUBLIC);
      expect(sent).not.toContain(INTERNAL);
      expect(sent).not.toMatch(/Assigned|Tagged|Resolved|Reopened|Snoozed|Hand-off|Unassigned/);
      const rows = await gateway.pool<{ id: string }[]>`
        select id from messages
        where conversation_id = ${id} and (direction = 'internal' or status in ('scheduled', 'canceled'))`;
      expect(rows.length).toBeGreaterThan(12 * rounds);
      for (const row of rows) expect(sent).not.toContain(row.id);
    });
  }
});
