import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createClient } from '../../client/index.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

let gateway: TestGateway;
let client: ReturnType<typeof createClient>;

beforeAll(async () => {
  gateway = await startTestGateway();
  client = createClient({ url: gateway.url, apiKey: gateway.apiKey });
});
afterAll(() => gateway.stop());

async function begun(content: string) {
  const { data, error } = await client.POST('/api/v1/conversations', {
    body: { business_id: gateway.businessId, channel_id: gateway.channelId, initial_message: content },
  });
  if (data === undefined) throw new Error(error.error.message);
  return data;
}

describe('the typed client', () => {
  it('begins a conversation, answers in it, reads it back and closes it', async () => {
    const conversation = await begun('Hello from the shop');
    const path = { id: conversation.id };
    const reply = await client.POST('/api/v1/conversations/{id}/reply', {
      params: { path },
      body: { message: 'Your order left today', type: 'reply' },
    });
    expect(reply.response.status).toBe(202);
    const read = await client.GET('/api/v1/conversations/{id}', { params: { path } });
    const contents: string[] | undefined = read.data?.messages.map(({ content }) => content);
    expect(contents).toEqual(['Hello from the shop', 'Your order left today']);
    const closed = await client.PUT('/api/v1/conversations/{id}/close', { params: { path } });
    expect(closed.data?.status).toBe('closed');
  });

  it('pages through a list with the cursor', async () => {
    for (const content of ['one', 'two', 'three']) await begun(content);
    const ids = new Set<string>();
    let cursor: string | undefined;
    do {
      const { data } = await client.GET('/api/v1/conversations', {
        params: { query: { limit: 2, ...(cursor && { cursor }) } },
      });
      for (const { id } of data?.data ?? []) ids.add(id);
      cursor = data?.meta.next_cursor ?? undefined;
    } while (cursor !== undefined);
    const [row] = await gateway.pool<{ count: number }[]>`select count(*) from conversations`;
    expect(ids.size).toBe(row?.count);
  });

  it('hands a refusal over in its envelope, with the field that is wrong', async () => {
    const { data, error } = await client.POST('/api/v1/webhook-endpoints', {
      body: { url: 'nonsense', events: ['*'] },
    });
    expect(data).toBeUndefined();
    expect(error?.error.code).toBe('validation_error');
    expect(error?.error.details.map(({ field }) => field)).toEqual(['url']);
  });
});
