import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expireConversations } from '../../src/core/customers/erasure/expire.ts';
import { createTransact } from '../../src/core/database/transact.ts';
import { createLog } from '../../src/core/log.ts';
import { createWake } from '../../src/core/wake.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { dumpFolder } from '../support/dump.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventually } from '../support/inbox.ts';
import { receive, write } from '../support/people.ts';
import { fakeUser, update } from '../support/telegram.ts';

interface Conversation {
  status: string;
  subject: string | null;
  last_message_seq: number;
  messages: { content: string; attachments: { state: string; name: string }[] }[];
}

let dataDir: string;
let gateway: TestGateway;
let door: Door;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-expiry-'));
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL, dataDir });
  door = await openDoor(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await door.close();
  await rm(dataDir, { recursive: true, force: true });
});

const get = async (id: string) =>
  (await gateway.call<Conversation>('GET', `/api/v1/conversations/${id}`)).body;
const textsOf = async (id: string) => (await get(id)).messages.map(({ content }) => content);

/** A conversation with a text and a file, in a status and as many days old. */
async function conversation(status: string, days: number) {
  const user = fakeUser();
  const { conversation_id: id } = await write(gateway, door, user, 'what was said');
  const bytes = Buffer.from(`a file of ${id}`);
  const document = {
    file_id: door.telegram.addFile(bytes),
    file_unique_id: 'd',
    file_name: 'file.txt',
    file_size: bytes.length,
  };
  await receive(gateway, door, update.document({ from: user, document }));
  await eventually(async () => (await get(id)).messages[1]?.attachments[0]?.state === 'ready');
  await gateway.call('PATCH', `/api/v1/conversations/${id}`, { subject: 'about it', status });
  await gateway.pool`
    update conversations set last_message_at = now() - make_interval(days => ${days}) where id = ${id}`;
  return { id, user };
}

async function expireAll(most: number | undefined): Promise<void> {
  const { pool } = gateway;
  const transact = createTransact(pool, await createWake(undefined, createLog('silent')));
  while (await expireConversations({ pool, transact }, most));
}

describe('what was said', () => {
  it('is let go of once it is over and old enough, and nothing else is', async () => {
    const [old, recent, open] = [
      await conversation('resolved', 366),
      await conversation('resolved', 364),
      await conversation('open', 366),
    ];
    await expireAll(365);
    expect((await textsOf(old.id)).join('')).toBe('');
    expect(await get(old.id)).toMatchObject({ status: 'resolved', subject: null });
    expect((await get(old.id)).messages[1]?.attachments[0]).toMatchObject({ state: 'expired', name: 'file' });
    for (const { id } of [recent, open]) expect((await textsOf(id))[0]).toBe('what was said');
    await eventually(async () => !(await dumpFolder(dataDir)).some((file) => file.includes(old.id)));
    expect((await dumpFolder(dataDir)).some((file) => file.includes(recent.id))).toBe(true);
  });

  it('of how they were served goes with it, and what has not been said is asked no more', async () => {
    const { id } = await conversation('resolved', 366);
    const rated = { score: 2, comment: 'words of a rating' };
    expect((await gateway.call('POST', `/api/v1/conversations/${id}/csat`, rated)).status).toBe(201);
    await gateway.call('POST', `/api/v1/conversations/${id}/handoff`, { reason: 'words of a reason' });
    await gateway.pool`
      insert into ratings (id, business_id, conversation_id, channel_id, channel_type, expires_at)
      select uuidv7(), business_id, id, channel_id, channel_type, now() + interval '9 days' from conversations where id = ${id}`;
    await gateway.pool`update conversations set last_message_at = now() - interval '366 days' where id = ${id}`;
    await expireAll(365);
    const left = await gateway.pool`
      select content from messages where conversation_id = ${id} and content like '%words of a%'
      union all select comment from ratings where conversation_id = ${id} and comment is not null
      union all select 'open' from ratings where conversation_id = ${id} and expires_at > now()`;
    expect([...left]).toEqual([]);
    const { body } = await gateway.call<{ data: object[] }>('GET', `/api/v1/conversations/${id}/csat`);
    expect(body.data).toMatchObject([{ score: null }, { score: 2, comment: null }]);
  });

  it('is no longer found, neither by a message nor by the subject', async () => {
    const { id } = await conversation('resolved', 366);
    const found = async () =>
      (
        await gateway.pool<
          { kind: string }[]
        >`select kind from search_documents where conversation_id = ${id}`
      )
        .map(({ kind }) => kind)
        .sort();
    await eventually(async () => (await found()).join() === 'conversation,message,message');
    await expireAll(365);
    expect(await found()).toEqual([]);
  });

  it('is kept as long as its channel says, else its business, and never longer than the operator', async () => {
    const keep = async (path: string, retention_messages_days: number | null) =>
      expect((await gateway.call('PATCH', `/api/v1${path}`, { retention_messages_days })).body).toMatchObject(
        {
          retention_messages_days,
        },
      );
    const channel = `/channels/${door.channelId}`;
    const isKept = async (id: string) => (await textsOf(id))[0] === 'what was said';
    const [month, week] = [await conversation('closed', 31), await conversation('closed', 8)];
    const steps: [
      channel: number | null,
      business: number | null,
      operator: number | undefined,
      boolean[],
    ][] = [
      [null, null, undefined, [true, true]],
      [60, 7, undefined, [true, true]],
      [null, 30, undefined, [false, true]],
      [60, null, 7, [false, false]],
    ];
    for (const [ofChannel, ofBusiness, operator, expected] of steps) {
      await keep(channel, ofChannel);
      await keep('/business', ofBusiness);
      await expireAll(operator);
      expect([await isKept(month.id), await isKept(week.id)]).toEqual(expected);
    }
    await keep(channel, null);
    for (const wrong of [0, 1.5, '30', 36_501])
      expect(
        (await gateway.call('PATCH', `/api/v1${channel}`, { retention_messages_days: wrong })).status,
      ).toBe(422);
  });

  it('leaves room for what its customer says next, which has a time of its own', async () => {
    const { id, user } = await conversation('resolved', 400);
    await expireAll(365);
    const { last_message_seq } = await get(id);
    expect((await write(gateway, door, user, 'me again')).conversation_id).toBe(id);
    expect((await get(id)).last_message_seq).toBeGreaterThan(last_message_seq);
    await gateway.call('PUT', `/api/v1/conversations/${id}/resolve`);
    await expireAll(365);
    expect(await textsOf(id)).toContain('me again');
    await gateway.pool`
      update conversations set expired_at = now() - interval '800 days', last_message_at = now() - interval '400 days'
      where id = ${id}`;
    await expireAll(365);
    expect((await textsOf(id)).join('')).toBe('');
  });
});
