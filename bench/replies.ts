import { Pool } from 'undici';
import { type Lab, type Subject, withGateway } from './lab.ts';
import type { Measured } from './rows.ts';

const COUNT = 8_000;
const WARM_UP = 1_000;
const CONVERSATIONS = 200;
const CONNECTIONS = 64;
// Each key may ask a thousand times a minute.
const KEYS = 10;

/** Agents' replies in web chats, accepted and committed: as many a second as 64 connections get through. */
export function measureReplies(lab: Lab): Promise<Measured> {
  return lab.withDatabase((url) =>
    withGateway(url, async (subject) => {
      const [keys, paths] = [await makeKeys(subject), await makeConversations(subject)];
      const pool = new Pool(subject.url, { connections: CONNECTIONS });
      let asked = 0;
      const send = async (upTo: number) => {
        while (asked < upTo) {
          const n = asked++;
          await reply(pool, { key: keys[n % KEYS] ?? '', path: paths[n % CONVERSATIONS] ?? '', n });
        }
      };
      const burst = (upTo: number) => Promise.all(Array.from({ length: CONNECTIONS }, () => send(upTo)));
      await burst(WARM_UP);
      const begun = performance.now();
      await burst(WARM_UP + COUNT);
      const seconds = (performance.now() - begun) / 1_000;
      await pool.close();
      return { replies: COUNT / seconds };
    }),
  );
}

async function makeKeys({ call }: Subject): Promise<string[]> {
  const keys = Array.from({ length: KEYS }, (_, n) =>
    call<{ key: string }>('POST', '/api-keys', { name: `replies ${n}`, role: 'agent' }),
  );
  return (await Promise.all(keys)).map(({ key }) => key);
}

async function makeConversations({ call, sql, businessId }: Subject): Promise<string[]> {
  const [channel] = await sql<{ id: string }[]>`
    select id from channels where business_id = ${businessId} and type = 'webchat'`;
  const paths: string[] = [];
  for (let n = 0; n < CONVERSATIONS; n += 1) {
    const body = { business_id: businessId, channel_id: channel?.id, initial_message: 'Hello' };
    const { id } = await call<{ id: string }>('POST', '/conversations', body);
    paths.push(`/api/v1/conversations/${id}/reply`);
  }
  return paths;
}

async function reply(pool: Pool, { key, path, n }: { key: string; path: string; n: number }): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  const body = JSON.stringify({ message: `Reply ${n}: your order is on its way`, type: 'reply' });
  const answer = await pool.request({ method: 'POST', path, headers, body });
  const text = await answer.body.text();
  if (answer.statusCode !== 202) throw new Error(`${path}: ${answer.statusCode} ${text}`);
}
