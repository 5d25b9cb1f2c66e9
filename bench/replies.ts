import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { type Lab, type Subject, withGateway } from './lab.ts';
import type { Measured } from './rows.ts';
import { telegramUpdates } from './updates.ts';

const COUNT = 8_000;
const COUNT_BY_PROVIDER = 3_000;
const WARM_UP = 1_000;
const CONVERSATIONS = 200;
const CONNECTIONS = 64;
// Each key may ask a thousand times a minute.
const KEYS = 15;

/** Agents' replies, as many a second as 64 connections get through: accepted in web chats, and sent by a provider. */
export function measureReplies(lab: Lab): Promise<Measured> {
  return lab.withDatabase((url) =>
    withGateway(url, async (subject) => {
      const keys = await makeKeys(subject);
      const chats = await makeWebChats(subject);
      await answer(subject, { keys, paths: chats, count: WARM_UP });
      const replies = await perSecond(COUNT, () => answer(subject, { keys, paths: chats, count: COUNT }));
      const paths = await makeTelegramChats(subject);
      const byProvider = await perSecond(COUNT_BY_PROVIDER, async () => {
        await answer(subject, { keys, paths, count: COUNT_BY_PROVIDER });
        while (await isSending(subject)) await sleep(20);
      });
      return { replies, 'replies by a provider': byProvider };
    }),
  );
}

async function perSecond(count: number, work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return (count / (performance.now() - begun)) * 1_000;
}

async function isSending({ sql }: Subject): Promise<boolean> {
  const rows = await sql`select id from messages where status in ('queued', 'sending') limit 1`;
  return rows.length > 0;
}

async function makeKeys({ call }: Subject): Promise<string[]> {
  const keys = Array.from({ length: KEYS }, (_, n) =>
    call<{ key: string }>('POST', '/api-keys', { name: `replies ${n}`, role: 'agent' }),
  );
  return (await Promise.all(keys)).map(({ key }) => key);
}

async function makeWebChats({ call, sql, businessId }: Subject): Promise<string[]> {
  const [channel] = await sql<{ id: string }[]>`
    select id from channels where business_id = ${businessId} and type = 'webchat'`;
  const paths: string[] = [];
  for (let n = 0; n < CONVERSATIONS; n += 1) {
    const body = { business_id: businessId, channel_id: channel?.id, initial_message: 'Hello' };
    const { id } = await call<{ id: string }>('POST', '/conversations', body);
    paths.push(replyPath(id));
  }
  return paths;
}

async function makeTelegramChats({ sql, door, telegram }: Subject): Promise<string[]> {
  for (const body of telegramUpdates({ from: 0, count: CONVERSATIONS, senders: CONVERSATIONS })) {
    telegram.know(JSON.parse(body).message.chat.id);
    await fetch(door.url, { method: 'POST', headers: door.headers, body });
  }
  const rows = await sql<{ id: string }[]>`select id from conversations where channel_type = 'telegram'`;
  return rows.map(({ id }) => replyPath(id));
}

const replyPath = (conversationId: string) => `/api/v1/conversations/${conversationId}/reply`;

interface Answering {
  keys: string[];
  paths: string[];
  count: number;
}

async function answer({ url }: Subject, { keys, paths, count }: Answering): Promise<void> {
  const pool = new Pool(url, { connections: CONNECTIONS });
  let asked = 0;
  async function send(): Promise<void> {
    while (asked < count) {
      const n = asked++;
      await reply(pool, { key: keys[n % keys.length] ?? '', path: paths[n % paths.length] ?? '', n });
    }
  }
  await Promise.all(Array.from({ length: CONNECTIONS }, send));
  await pool.close();
}

async function reply(pool: Pool, { key, path, n }: { key: string; path: string; n: number }): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ message: `Reply ${n}: your order is on its way`, type: 'reply' });
  const answer = await pool.request({ method: 'POST', path, headers, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 202) throw new Error(`${path}: ${answer.statusCode} ${text}`);
}
