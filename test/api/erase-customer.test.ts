import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createFiles } from '../../src/core/attachments/files.ts';
import { createDiskStorage } from '../../src/core/attachments/storage/disk.ts';
import { storeUpload } from '../../src/core/attachments/uploads.ts';
import { eraseCustomer } from '../../src/core/customers/erase-customer.ts';
import { sweepErasures } from '../../src/core/customers/erasure/sweep.ts';
import { createTransact } from '../../src/core/database/transact.ts';
import { createLog } from '../../src/core/log.ts';
import { createWake } from '../../src/core/wake.ts';
import { closeAll, connect, refusal } from '../realtime/sockets.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { dumpDatabase, dumpFolder } from '../support/dump.ts';
import { emailChannel } from '../support/email/channel.ts';
import { multipart } from '../support/email/mails.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { holdWrites } from '../support/hold-writes.ts';
import { eventually, otherBusiness } from '../support/inbox.ts';
import { receive, write } from '../support/people.ts';
import { fakeGroup, fakeUser, update } from '../support/telegram.ts';

// What is hers bears one of these, whatever kind of text it is; what is another's the last.
const HERS = ['zebulina', 'quokkafact', '4915799988777', 'Zebulina@Private.example'];
const HIS = 'bertram';

let dataDir: string;
let gateway: TestGateway;
let door: Door;
let subscriber: Awaited<ReturnType<typeof startSubscriber>>;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-erasure-'));
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL, dataDir });
  door = await openDoor(gateway);
  subscriber = await startSubscriber();
  await gateway.call('POST', '/api/v1/webhook-endpoints', { url: subscriber.url, events: ['*'] });
  await gateway.call('POST', '/api/v1/webhook-endpoints', { url: 'http://127.0.0.1:1/', events: ['*'] });
});
afterAll(async () => {
  await gateway.stop();
  await door.close();
  subscriber.close();
  await rm(dataDir, { recursive: true, force: true });
});
afterEach(closeAll);

/** Takes every webhook, and repeats in its answer what it got: at once, or when it is let go. */
async function startSubscriber() {
  const bodies: string[] = [];
  let answering = Promise.resolve();
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => {
      bodies.push(body);
      void answering.then(() => response.writeHead(200).end(body));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const hold = () => {
    const held = Promise.withResolvers<void>();
    answering = held.promise;
    onTestFinished(() => held.resolve());
    return held.resolve;
  };
  return { url, bodies, hold, close: () => void server.close() };
}

const post = async <T = { id: string }>(path: string, body: unknown) => {
  const answer = await gateway.call<T>('POST', `/api/v1${path}`, body);
  if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
};
const erase = (id: string, key = gateway.apiKey) =>
  gateway.call('DELETE', `/api/v1/customers/${id}`, undefined, { key });
const traces = async (words: string[]) => {
  const lines = [...(await dumpDatabase(gateway.pool)), ...(await dumpFolder(dataDir))];
  return lines
    .filter((line) => words.some((word) => line.toLowerCase().includes(word.toLowerCase())))
    .map((line) => line.slice(0, 300));
};

/** A customer of whom something is kept in every place there is. */
async function everywhere() {
  const her = fakeUser({ first_name: 'Zebulina', username: 'zebulina' });
  const him = fakeUser({ first_name: 'Bertram' });
  const first = await write(gateway, door, her, 'quokkafact one');
  const { customer_id: id, conversation_id } = first;
  const about = `/conversations/${conversation_id}`;
  await gateway.call('PATCH', `/api/v1/customers/${id}`, {
    email: 'Zebulina@Private.example',
    phones: ['+49 1579 9988777', '+49 1579 9988778'],
    external_id: 'zebulina-7',
    custom_attributes: { likes: 'quokkafact' },
  });
  await gateway.call('PATCH', `/api/v1${about}`, {
    subject: 'zebulina',
    custom_attributes: { a: 'quokkafact' },
  });
  await post(`${about}/handoff`, { reason: 'zebulina is upset' });
  await post(`${about}/messages`, { content: 'Dear Zebulina' });
  await post(`${about}/messages`, { content: 'zebulina is nice', type: 'note' });
  await post(`${about}/messages`, { content: 'later, Zebulina', send_at: '2999-01-01T00:00:00Z' });
  const file = door.telegram.addFile(Buffer.from('a photo of zebulina'));
  const photo = { file_id: file, file_unique_id: 'p', width: 9, height: 9, file_size: 19 };
  await receive(gateway, door, update.photo({ from: her, caption: 'quokkafact', photo: [photo] }));

  const group = fakeGroup({ title: 'A club' });
  const his = await receive(gateway, door, update.text({ chat: group, from: him, text: `${HIS} was here` }));
  await receive(gateway, door, update.text({ chat: group, from: her, text: 'quokkafact in the club' }));
  const about_his = await gateway.pool<{ external_id: string }[]>`
    select external_id from messages where id = ${his.message_id}`;
  const message_id = Number(about_his[0]?.external_id.split(':').at(-1));
  await door.post(update.reaction({ chat: group, user: her, message_id }));
  await door.post(`{"broken": ${her.id}, "text": "quokkafact`);

  const visitor = await connect(gateway.url, { business_id: gateway.businessId });
  const { visitor_token } = await visitor.next('session');
  const form = new FormData();
  form.set('file', new File(['an upload of quokkafact'], 'zebulina.txt', { type: 'text/plain' }));
  const upload = await gateway.call('POST', `/webchat/${gateway.channelId}/upload`, form, {
    key: visitor_token as string,
  });
  expect(upload.status).toBe(201);
  const asked = await visitor.ask('client_message', {
    content: 'quokkafact on the web',
    customer_data: { name: 'Zebulina', email: 'zebulina@private.example' },
  });
  const [web] = await gateway.pool<{ customer_id: string }[]>`
    select customer_id from conversations where id = ${asked['conversation_id'] as string}`;
  await post(`/customers/${id}/merge`, { from: web?.customer_id });
  await post('/blocked-senders', { address: 'zebulina@private.example' });
  return { id, her, him, his, conversation_id, visitor, visitor_token, web: web?.customer_id ?? '' };
}

describe('erasing a customer', () => {
  it('leaves nothing of them in the database or on the disk, and everything of others', async () => {
    const { id, her, him, his, conversation_id, visitor, visitor_token, web } = await everywhere();
    await eventually(async () => subscriber.bodies.some((body) => body.includes('quokkafact on the web')));
    await eventually(async () =>
      (await dumpFolder(dataDir)).some((file) => file.includes('a photo of zebulina')),
    );
    expect((await traces(HERS)).length).toBeGreaterThan(30);

    expect((await erase(id)).status).toBe(204);
    expect(await traces(HERS)).toEqual([]);
    expect((await traces([`${HIS} was here`])).map((line) => line.split(' | ')[0]).sort()).toEqual(
      expect.arrayContaining(['inbound_requests', 'messages']),
    );

    await eventually(async () => !visitor.socket.connected);
    const auth = { business_id: gateway.businessId, visitor_token };
    expect(await refusal(gateway.url, auth)).toMatchObject({ code: 'unauthorized' });
    for (const gone of [id, web]) {
      expect((await gateway.call('GET', `/api/v1/customers/${gone}`)).status).toBe(404);
    }
    expect((await erase(id)).status).toBe(404);

    const shown = await gateway.call<{ status: string; messages: { content: string; status: string }[] }>(
      'GET',
      `/api/v1/conversations/${conversation_id}`,
    );
    expect(shown.body.status).toBe('closed');
    expect(shown.body.messages.map(({ content }) => content).join('')).toBe('');
    expect(shown.body.messages.map(({ status }) => status)).toContain('canceled');

    const again = await write(gateway, door, her, 'hello again');
    expect([id, web]).not.toContain(again.customer_id);
    expect(again.conversation_id).not.toBe(conversation_id);
    expect((await write(gateway, door, him)).customer_id).toBe(his.customer_id);
  }, 60_000);

  it('takes their mails along, with what is quoted and attached, and what was to be answered', async () => {
    const channel = await emailChannel(gateway, { address: 'support@shop.example' });
    const from = { From: 'Hedwig <hedwig@owlfact.example>', 'Message-ID': '<1@relay.example>' };
    const text = { headers: { 'Content-Type': 'text/plain' }, body: 'my owlfact\n\n> quoted owlfact' };
    const file = {
      headers: { 'Content-Type': 'text/plain', 'Content-Disposition': 'attachment; filename="owlfact.txt"' },
      body: 'an attached owlfact',
    };
    expect(await channel.post(multipart('mixed', [text, file], from) as never)).toBe(200);
    const [conversation] = await channel.conversations();
    const { id = '', customer } = conversation ?? {};
    await post(`/conversations/${id}/messages`, { content: 'Dear Hedwig, about the owlfact' });
    await eventually(async () =>
      (await dumpFolder(dataDir)).some((one) => one.includes('an attached owlfact')),
    );
    expect((await traces(['owlfact'])).length).toBeGreaterThan(5);
    expect((await erase(customer?.id ?? '')).status).toBe(204);
    expect(await traces(['owlfact', 'hedwig'])).toEqual([]);
    expect((await channel.conversation(id)).messages.map(({ status }) => status)).toContain('canceled');
  });

  it('takes back a reaction that waits for its message, and none of whose address is longer', async () => {
    const her = fakeUser({ first_name: 'Zebulina' });
    const { customer_id: id } = await write(gateway, door, her);
    const reaction = (sender: string, address: string) => ({
      kind: 'reaction',
      sender,
      address,
      emojis: ['👍'],
    });
    const others = reaction(randomUUID(), `${her.id}7`);
    await gateway.pool`
      insert into provider_ids (channel_id, external_id, parked)
      values (${door.channelId}, ${`parked-${id}`}, ${gateway.pool.json([reaction(id, `${her.id}`), others])})`;
    expect((await erase(id)).status).toBe(204);
    const [row] = await gateway.pool`select parked from provider_ids where external_id = ${`parked-${id}`}`;
    expect(row?.['parked']).toEqual([others]);
  });

  it('tells those who mirror us, without saying anything of the person', async () => {
    const { customer_id, conversation_id } = await write(gateway, door, fakeUser(), 'mirrored');
    await erase(customer_id);
    const events = async () =>
      (
        await gateway.call<{ data: { type: string; conversation_id: string; data: object }[] }>(
          'GET',
          '/api/v1/events?limit=100&types=customer.deleted,conversation.closed,message.received',
        )
      ).body.data;
    const isDeletion = (event: { type: string; data: object }) =>
      event.type === 'customer.deleted' && JSON.stringify(event.data).includes(customer_id);
    await eventually(async () => (await events()).some(isDeletion));
    const own = (await events()).filter((event) => event.conversation_id === conversation_id);
    expect(own.map(({ type }) => type)).toEqual(['message.received', 'conversation.closed']);
    expect(own[0]?.data).toEqual({ erased: true });
    await eventually(async () =>
      subscriber.bodies.some((body) => body.includes('customer.deleted') && body.includes(customer_id)),
    );
  });

  it('goes on where a process ended in the middle, and looks once more for what was in flight', async () => {
    const { customer_id, conversation_id } = await write(gateway, door, fakeUser(), 'halfwayfact');
    const wake = await createWake(undefined, createLog('silent'));
    const transact = createTransact(gateway.pool, wake);
    const actor = { businessId: gateway.businessId, apiKeyId: null, agentId: null, role: 'admin' as const };
    await eventually(async () => (await traces(['halfwayfact'])).some((line) => line.startsWith('events')));
    await transact((tx) => eraseCustomer(tx, actor as never, customer_id));
    // Nor does what is still to be searched come in anew meanwhile.
    const [kept] = await gateway.pool`select id from inbound_requests where customer_id = ${customer_id}`;
    const replay = `/api/v1/inbound-events/${kept?.['id']}/replay`;
    expect((await gateway.call('POST', replay)).status).toBe(503);
    const files = { remove: async () => {} };
    const sweepAll = async () => {
      await gateway.pool`update erasures set next_sweep_at = now()`;
      await sweepErasures({ pool: gateway.pool, transact, files });
    };
    const erasure = () => gateway.pool`select swept_at from erasures where customer_id = ${customer_id}`;
    await sweepAll();
    // The gateway may have been faster, and be at it still.
    await eventually(async () => (await erasure())[0]?.['swept_at'] != null);
    expect(await traces(['halfwayfact'])).toEqual([]);
    expect((await gateway.call('POST', replay)).status).toBe(409);
    await gateway.pool`
      update messages set content = 'halfwayfact late' where conversation_id = ${conversation_id}`;
    await sweepAll();
    await eventually(async () => (await erasure()).length === 0);
    expect(await traces(['halfwayfact'])).toEqual([]);
  });

  it('catches what is written while it happens', async () => {
    const user = fakeUser();
    const { customer_id } = await write(gateway, door, user, 'first');
    const writing = Promise.all(
      Array.from({ length: 40 }, (_, n) => door.post(update.text({ from: user, text: `racefact ${n}` }))),
    );
    expect((await erase(customer_id)).status).toBe(204);
    await writing;
    const left = await gateway.pool`
      select m.content from messages m join customers c on c.id = m.customer_id
      where c.deleted_at is not null and m.content like 'racefact%'`;
    expect(left).toEqual([]);
  });

  it('takes from the search what a group heard of them, although it was read for it before', async () => {
    const her = fakeUser();
    const group = fakeGroup({ title: 'Another club' });
    await receive(gateway, door, update.text({ chat: group, from: fakeUser(), text: 'welcome' }));
    const { customer_id, message_id } = await write(gateway, door, her);
    await eventually(async () => {
      const indexed = await gateway.pool`select 1 from search_documents where id = ${message_id}`;
      return indexed.length > 0;
    });
    const held = await holdWrites(gateway.pool, 'search_documents');
    await receive(gateway, door, update.text({ chat: group, from: her, text: 'slowfact' }));
    await eventually(held.isHolding);
    const erasing = erase(customer_id);
    // It waits, as long as what was read may still be written.
    await Promise.race([erasing, sleep(500)]);
    await held.release();
    expect((await erasing).status).toBe(204);
    expect(await traces(['slowfact'])).toEqual([]);
  });

  it('forgets what was being noted of their address meanwhile', async () => {
    const her = fakeUser();
    const { customer_id } = await write(gateway, door, her);
    const held = await holdWrites(gateway.pool, 'consents');
    const noting = gateway.call('POST', `/api/v1/customers/${customer_id}/consents`, {
      channel_id: door.channelId,
      consent: 'stop',
    });
    await eventually(held.isHolding);
    const erasing = erase(customer_id);
    await Promise.race([erasing, sleep(500)]);
    await held.release();
    expect([(await noting).status, (await erasing).status]).toEqual([201, 204]);
    expect(await traces([`${her.id}`])).toEqual([]);
  });

  it('gives no answer again that tells of them', async () => {
    const keyed = (key: string) =>
      gateway.call<{ id: string }>(
        'POST',
        '/api/v1/customers',
        { email: `${key}@kept.example` },
        { headers: { 'idempotency-key': key } },
      );
    const keys = { hers: randomUUID(), his: randomUUID() };
    const [hers, his] = [await keyed(keys.hers), await keyed(keys.his)];
    expect((await erase(hers.body.id)).status).toBe(204);
    expect((await keyed(keys.hers)).status).toBe(409);
    expect((await keyed(keys.his)).body).toEqual(his.body);
    const kept = await gateway.pool`
      select key from idempotency_keys where key = any(${Object.values(keys)}) and response is not null`;
    expect(kept).toEqual([{ key: keys.his }]);
  });

  it('keeps no file that a visitor was uploading meanwhile', async () => {
    const visitor = await connect(gateway.url, { business_id: gateway.businessId });
    const { conversation_id } = await visitor.ask('client_message', { content: 'I send you a file' });
    const [hers] = await gateway.pool<{ customer_id: string; address: string }[]>`
      select customer_id, address from conversations c join identities i using (customer_id)
      where c.id = ${conversation_id as string}`;
    const begun = Promise.withResolvers<void>();
    const rest = Promise.withResolvers<void>();
    async function* body() {
      yield Buffer.from('the first half, ');
      begun.resolve();
      await rest.promise;
      yield Buffer.from('an uploadfact');
    }
    const folder = join(dataDir, 'files');
    const storage = createDiskStorage(folder);
    const uploading = storeUpload(
      gateway.pool,
      createFiles({ storage, incoming: join(folder, 'incoming') }),
      {
        businessId: gateway.businessId,
        conversationId: null,
        uploadedBy: `visitor:${hers?.address}`,
        name: 'fact.txt',
        contentType: 'text/plain',
        body: body(),
      },
    );
    await begun.promise;
    expect((await erase(hers?.customer_id ?? '')).status).toBe(204);
    rest.resolve();
    await expect(uploading).rejects.toThrow('erased');
    expect(await traces(['uploadfact', 'fact.txt'])).toEqual([]);
  });

  it('keeps nothing of what a provider answers after it', async () => {
    const [her, him] = [fakeUser(), fakeUser()];
    const hers = await write(gateway, door, her);
    const his = await write(gateway, door, him);
    const release = door.telegram.hold();
    onTestFinished(() => {
      release();
      door.telegram.heal();
    });
    await post(`/conversations/${hers.conversation_id}/messages`, { content: 'taken' });
    await eventually(async () => door.telegram.calls.some(({ params }) => params['text'] === 'taken'));
    door.telegram.fail('sendMessage', { code: 403, description: `Forbidden: ${him.id} has blocked the bot` });
    await post(`/conversations/${his.conversation_id}/messages`, { content: 'refused' });
    await eventually(async () => door.telegram.calls.some(({ params }) => params['text'] === 'refused'));
    const customers = [hers.customer_id, his.customer_id];
    for (const id of customers) expect((await erase(id)).status).toBe(204);
    release();
    await eventually(async () => {
      const ended = await gateway.pool`
        select outcome from attempts
        where customer_id = any(${customers}) and kind = 'send' and finished_at is not null`;
      return ended.length === 2;
    });
    expect(await traces([`${her.id}`, `${him.id}`])).toEqual([]);
  });

  it('keeps nothing of what a subscriber answers after it', async () => {
    const answer = subscriber.hold();
    const { customer_id, message_id } = await write(gateway, door, fakeUser(), 'echofact');
    await eventually(async () => subscriber.bodies.some((body) => body.includes('echofact')));
    expect((await erase(customer_id)).status).toBe(204);
    answer();
    await eventually(async () => {
      const [attempt] = await gateway.pool`
        select outcome from attempts where outcome = 'delivered' and subject_id in (
          select id from deliveries where event_type = 'message.received' and event_id in (
            select id from events where message_id = ${message_id}))`;
      return attempt !== undefined;
    });
    expect(await traces(['echofact'])).toEqual([]);
  });

  it('happens once, however often it is asked for at once, and never to whom a merge is taking', async () => {
    const person = async () => (await post('/customers', { name: 'Ada' })).id;
    const id = await person();
    const answers = await Promise.all([erase(id), erase(id), erase(id)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([204, 404, 404]);
    for (let n = 0; n < 5; n += 1) {
      const [one, other] = [await person(), await person()];
      const [erased, merged] = await Promise.all([
        erase(one),
        gateway.call('POST', `/api/v1/customers/${other}/merge`, { from: one }),
      ]);
      expect([
        [204, 422],
        [409, 200],
      ]).toContainEqual([erased.status, merged.status]);
    }
  });

  it('is noted in the log: by whom, of whom by id alone, and once', async () => {
    const { customer_id } = await write(gateway, door, fakeUser({ first_name: 'Quokkafact' }));
    for (let n = 0; n < 2; n += 1) await erase(customer_id);
    const rows = await gateway.pool`
      select action, agent_id, detail from audit_log where subject_id = ${customer_id}`;
    expect(rows).toEqual([{ action: 'customer.erased', agent_id: gateway.agentId, detail: {} }]);
  });

  it('takes an admin, of the business itself, and the customer who others were merged into', async () => {
    const { customer_id } = await write(gateway, door, fakeUser());
    const { key } = await post<{ key: string }>('/api-keys', { name: 'an agent', role: 'agent' });
    expect((await erase(customer_id, key)).status).toBe(403);
    expect((await erase(customer_id, await otherBusiness(gateway))).status).toBe(404);
    const twin = await write(gateway, door, fakeUser());
    await post(`/customers/${customer_id}/merge`, { from: twin.customer_id });
    const refused = await gateway.call<{ error: { merged_into_id: string } }>(
      'DELETE',
      `/api/v1/customers/${twin.customer_id}`,
    );
    expect([refused.status, refused.body.error.merged_into_id]).toEqual([409, customer_id]);
  });
});
