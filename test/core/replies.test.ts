import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Pool } from '../../src/core/database/connect.ts';
import { createReplies, type Reply, type WriteReply } from '../../src/core/messages/replies.ts';
import { createSlots } from '../../src/core/slots.ts';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';
import { placeQuietly } from '../support/place.ts';

let api: TestApi;
let acme: TestBusiness;
let other: TestBusiness;
let acmeChannel: string;
beforeAll(async () => {
  api = await startApi();
  acme = await api.business('Acme');
  other = await api.business('Other');
  acmeChannel = await channelOf(acme);
});
afterAll(() => api.stop());

async function channelOf({ key }: TestBusiness): Promise<string> {
  const body = { type: 'webchat', config: {}, is_default: true };
  const answer = await api.call('POST', '/api/v1/channels', { key, body });
  return (answer.body as { id: string }).id;
}

async function conversation(): Promise<string> {
  const body = { business_id: acme.id, channel_id: acmeChannel };
  const answer = await api.call('POST', '/api/v1/conversations', { key: acme.key, body });
  return (answer.body as { id: string }).id;
}

function reply(business: TestBusiness, conversationId: string, draft: Reply['draft']): Reply {
  const actor = { businessId: business.id, apiKeyId: business.id, agentId: null, role: 'owner' } as const;
  return { actor, conversationId, draft };
}

/** The first is under way alone, so that the others share what comes after it. */
async function atOnce(write: WriteReply, first: Reply, ...others: Reply[]) {
  return (await Promise.allSettled([first, ...others].map(write))).slice(1);
}

const seqs = async (id: string) =>
  (
    await api.pool<
      { content: string; seq: number }[]
    >`select content, seq from messages where conversation_id = ${id} order by seq`
  ).map(({ content, seq }) => `${seq} ${content}`);

it('lets nobody into a conversation because its business writes there at the same moment', async () => {
  const id = await conversation();
  const [own, foreign] = await atOnce(
    api.deps.writeReply,
    reply(acme, await conversation(), { content: 'before' }),
    reply(acme, id, { content: 'ours' }),
    reply(other, id, { content: 'theirs' }),
  );
  expect(own?.status).toBe('fulfilled');
  expect(foreign).toMatchObject({ status: 'rejected', reason: { code: 'not_found' } });
  expect(await seqs(id)).toEqual(['1 ours']);
});

it('counts on after a message that is repeated among the others', async () => {
  const id = await conversation();
  await atOnce(
    api.deps.writeReply,
    reply(acme, await conversation(), { content: 'before' }),
    reply(acme, id, { content: 'a', clientMessageId: 'a' }),
    reply(acme, id, { content: 'b' }),
    reply(acme, id, { content: 'a', clientMessageId: 'a' }),
    reply(acme, id, { content: 'c' }),
  );
  expect(await seqs(id)).toEqual(['1 a', '2 b', '3 c']);
});

it('writes nothing a second time where the end of a commit is not known', async () => {
  const id = await conversation();
  const lost = Object.assign(new Error('the connection was closed'), { code: 'CONNECTION_CLOSED' });
  const begin = async (work: never) => {
    await api.pool.begin(work);
    throw lost;
  };
  const write = createReplies({
    ...api.deps,
    pool: { begin } as unknown as Pool,
    place: placeQuietly(api.deps.wake),
    turns: createSlots(1),
  });
  await expect(write(reply(acme, id, { content: 'once' }))).rejects.toBe(lost);
  expect(await seqs(id)).toEqual(['1 once']);
});
