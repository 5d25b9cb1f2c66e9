import { createHash } from 'node:crypto';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { closeAll, connect, type TestSocket } from '../realtime/sockets.ts';
import { startCallback } from '../support/callback.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { emailChannel } from '../support/email/channel.ts';
import { multipart } from '../support/email/mails.ts';
import { startFileServer } from '../support/file-server.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { change, contactOf, customerMessage, startMeta, webhook } from '../support/meta.ts';
import { fakeUser, update } from '../support/telegram.ts';
import { startTwilio } from '../support/twilio.ts';
import { type Receiver, startReceiver } from '../webhooks/support/receiver.ts';

/*
 * A photo that a customer sends on any channel is seen on every surface, also once the provider has forgotten it.
 */

interface Attachment {
  id: string;
  state: string;
  url: string;
  thumbnail_url: string;
}

interface Seen {
  id: string;
  attachments: Attachment[];
}

let gateway: TestGateway;
let subscriber: Receiver;
let agent: TestSocket;
let photo: Buffer;
const closing: (() => unknown)[] = [];

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  subscriber = await startReceiver();
  await gateway.call('POST', '/api/v1/webhook-endpoints', { url: subscriber.url, events: ['*'] });
  agent = await connect(gateway.url, { business_id: gateway.businessId, token: gateway.apiKey });
  photo = await sharp({ create: { width: 640, height: 480, channels: 3, background: 'orange' } })
    .jpeg()
    .toBuffer();
}, 60_000);
afterAll(async () => {
  closeAll();
  for (const close of closing) await close();
  await gateway.stop();
  await subscriber.close();
});

const throughUs = (url: string) => url.replace(PUBLIC_URL, gateway.url);

async function channel(type: string, config: Record<string, unknown>): Promise<string> {
  const { status, body } = await gateway.call<{ id: string }>('POST', '/api/v1/channels', { type, config });
  expect(status, JSON.stringify(body)).toBe(201);
  return body.id;
}

/** Sends the photo as a customer; resolves once it is taken, with how the provider forgets it. */
const CHANNELS: Record<string, () => Promise<{ channelId: string; forget(): Promise<unknown> }>> = {
  async telegram() {
    const door: Door = await openDoor(gateway);
    const file_id = door.telegram.addFile(photo);
    const sizes = [{ file_id, width: 640, height: 480, file_size: photo.length }];
    expect(await door.post(update.photo({ from: fakeUser(), photo: sizes }))).toBe(200);
    return { channelId: door.channelId, forget: () => door.close() };
  },
  async 'whatsapp (Cloud API)'() {
    const meta = await startMeta({ route: throughUs });
    const channelId = await channel('whatsapp', meta.config);
    const person = { waId: '491700000001', name: 'Ada' };
    const image = { id: meta.addFile(photo, 'image/jpeg'), mime_type: 'image/jpeg', sha256: sha256Of(photo) };
    const value = { contacts: [contactOf(person)], messages: [customerMessage(person, { image })] };
    const door = `${PUBLIC_URL}/webhooks/whatsapp/${channelId}`;
    expect(await meta.post(door, webhook(change(meta.phoneNumberId, value)))).toBe(200);
    return { channelId, forget: () => meta.close() };
  },
  'whatsapp (Twilio)': () => overTwilio('whatsapp', 'whatsapp:'),
  sms: () => overTwilio('number', ''),
  async email() {
    const mail = await emailChannel(gateway, { address: 'support@shop.test' });
    const file = {
      headers: {
        'Content-Type': 'image/jpeg; name="photo.jpg"',
        'Content-Disposition': 'attachment; filename="photo.jpg"',
        'Content-Transfer-Encoding': 'base64',
      },
      body: photo.toString('base64').replace(/.{76}/g, '$&\r\n'),
    };
    const text = { headers: { 'Content-Type': 'text/plain' }, body: 'See' };
    expect(await mail.post(multipart('mixed', [text, file]))).toBe(200);
    return { channelId: mail.id, forget: async () => {} };
  },
  async api() {
    const program = await startCallback();
    const files = await startFileServer();
    closing.push(program.close);
    const channelId = await channel('api', { callback_url: program.url, secret: program.secret });
    const item = {
      external_id: 'm-1',
      sender: { external_id: 'ada' },
      attachments: [{ url: files.at('/p.jpg', photo) }],
    };
    const headers = { authorization: `Bearer ${program.secret}` };
    const { status } = await gateway.call('POST', `/webhooks/api/${channelId}`, item, { key: null, headers });
    expect(status).toBe(200);
    return { channelId, forget: files.close };
  },
  async webchat() {
    const { channelId } = gateway;
    const visitor = await connect(gateway.url, { business_id: gateway.businessId, channel_id: channelId });
    const [session] = visitor.of('session');
    const form = new FormData();
    form.set('file', new File([new Uint8Array(photo)], 'photo.jpg', { type: 'image/jpeg' }));
    const headers = { authorization: `Bearer ${session?.['visitor_token']}` };
    const upload = await fetch(`${gateway.url}/webchat/${channelId}/upload`, {
      method: 'POST',
      headers,
      body: form,
    });
    const { id } = (await upload.json()) as { id: string };
    const said = await visitor.ask('client_message', { content: '', attachments: [{ id }] });
    const [own] = ((await visitor.ask('sync', { conversation_id: said['conversation_id'], after_seq: 0 }))[
      'messages'
    ] ?? []) as Seen[];
    await expectPhoto(own?.attachments[0] as Attachment, 'the visitor');
    return { channelId, forget: async () => {} };
  },
};

async function overTwilio(kind: 'whatsapp' | 'number', prefix: string) {
  const twilio = await startTwilio({ route: throughUs });
  const ours = kind === 'whatsapp' ? '+15550002222' : '+15550003333';
  twilio.own(kind, prefix + ours);
  const type = kind === 'whatsapp' ? 'whatsapp' : 'sms';
  const provider = kind === 'whatsapp' ? { provider: 'twilio' } : {};
  const channelId = await channel(type, { ...provider, ...twilio.config(ours) });
  const media = [{ contentType: 'image/jpeg', bytes: photo }];
  const taken = await twilio.receive({ from: `${prefix}+15557654321`, to: prefix + ours, media });
  expect(taken.status).toBe(200);
  return { channelId, forget: () => twilio.close() };
}

async function expectPhoto(attachment: Attachment | undefined, surface: string): Promise<void> {
  expect(attachment?.state, surface).toBe('ready');
  const response = await fetch(throughUs(attachment?.url ?? ''));
  const bytes = Buffer.from(await response.arrayBuffer());
  expect([response.status, sha256Of(bytes)], surface).toEqual([200, sha256Of(photo)]);
  const thumbnail = await fetch(throughUs(attachment?.thumbnail_url ?? ''));
  expect([thumbnail.status, thumbnail.headers.get('content-type')], surface).toEqual([200, 'image/webp']);
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

async function readyMessage(channelId: string): Promise<{ conversationId: string; messageId: string }> {
  return eventually(async () => {
    const [row] = await gateway.pool<{ conversation_id: string; message_id: string; state: string }[]>`
      select a.conversation_id, a.message_id, a.state from attachments a join messages m on m.id = a.message_id
      where m.channel_id = ${channelId}`;
    expect(row?.state).toBe('ready');
    return { conversationId: row?.conversation_id ?? '', messageId: row?.message_id ?? '' };
  });
}

describe.each(Object.entries(CHANNELS))('a photo by %s', (_name, send) => {
  it('is seen on every surface after the provider has forgotten it', async () => {
    const { channelId, forget } = await send();
    const { conversationId, messageId } = await readyMessage(channelId);
    await forget();
    const get = async <T>(path: string) => (await gateway.call<T>('GET', path)).body;
    const of = (messages: Seen[]) => messages.find(({ id }) => id === messageId)?.attachments[0];

    const { messages } = await get<{ messages: Seen[] }>(`/api/v1/conversations/${conversationId}`);
    await expectPhoto(of(messages), 'the conversation');
    const listed = await get<{ data: Seen[] }>(`/api/v1/conversations/${conversationId}/messages`);
    await expectPhoto(of(listed.data), 'the list of messages');
    const message = await get<Seen>(`/api/v1/messages/${messageId}`);
    await expectPhoto(message.attachments[0], 'the message');
    await expectPhoto(
      await get<Attachment>(`/api/v1/attachments/${message.attachments[0]?.id}`),
      'the attachment',
    );
    const support = await get<{ data: { messages: Seen[] } }>(`/api/support/conversations/${conversationId}`);
    const { thumbnailUrl, ...seen } = of(support.data.messages) as Attachment & { thumbnailUrl: string };
    await expectPhoto({ ...seen, thumbnail_url: thumbnailUrl }, 'the support dialect');

    const isReady = ({ message: seen }: { message?: Seen }) =>
      seen?.id === messageId && seen.attachments[0]?.state === 'ready';
    await eventually(async () => {
      const events = await get<{ data: { data: { message?: Seen } }[] }>(
        '/api/v1/events?limit=100&types=message.received,message.updated',
      );
      const told = events.data.map(({ data }) => data).find(isReady);
      await expectPhoto(told?.message?.attachments[0], 'the events');
      const heard = agent.of('event').map(({ data }) => data as { message?: Seen });
      await expectPhoto(heard.find(isReady)?.message?.attachments[0], 'the socket of an agent');
      const posted = subscriber.received.map(({ body }) => JSON.parse(body).data as { message?: Seen });
      await expectPhoto(posted.find(isReady)?.message?.attachments[0], 'the webhook');
    });
  }, 40_000);
});
