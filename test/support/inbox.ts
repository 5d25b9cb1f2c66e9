import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createBusiness } from '../../src/core/businesses.ts';
import type { TestGateway } from './gateway.ts';
import { until } from './until.ts';

/** A Telegram channel. Without a Bot API that answers it is enough for everything that is decided before a send. */
export async function telegramChannel(
  gateway: TestGateway,
  api_root = 'http://127.0.0.1:2',
): Promise<string> {
  const token = `${Math.floor(Math.random() * 1e9)}:${'A'.repeat(35)}`;
  const answer = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
    type: 'telegram',
    config: { bot_token: token, api_root },
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.id;
}

/** A Bot API that knows every bot and takes no message: it answers 502 to whatever is sent. */
export async function busyTelegram(): Promise<{ url: string; bodies: string[]; close(): void }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    request.on('data', (chunk: Buffer) => bodies.push(chunk.toString()));
    if (/\/(send|getUpdates)/.test(request.url ?? '')) response.writeHead(502).end();
    else
      response.end(
        JSON.stringify({
          ok: true,
          result: { id: 1, is_bot: true, first_name: 'bot', username: 'bot', url: '' },
        }),
      );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, bodies, close: () => void server.close(() => undefined) };
}

/** The owner's key of another business on the same gateway. */
export async function otherBusiness(gateway: TestGateway): Promise<string> {
  const created = await gateway.pool.begin((tx) => createBusiness(tx, { name: 'Somebody else' }));
  return created.key;
}

/** A key of role `bot` of the gateway's business. */
export async function botKey(gateway: TestGateway): Promise<string> {
  const answer = await gateway.call<{ key: string }>('POST', '/api/v1/api-keys', {
    name: 'a bot',
    role: 'bot',
  });
  if (answer.status !== 201) throw new Error(JSON.stringify(answer.body));
  return answer.body.key;
}

/** The types of a conversation's events so far, in order. */
export async function eventTypes(
  gateway: TestGateway,
  conversationId: string,
  after?: string,
): Promise<string[]> {
  const types: string[] = [];
  let cursor = after;
  for (;;) {
    const query: string = cursor === undefined ? '' : `&after=${cursor}`;
    const { body } = await gateway.call<{
      data: { type: string; conversation_id: string | null }[];
      meta: { next_cursor: string; has_more: boolean };
    }>('GET', `/api/v1/events?limit=100${query}`);
    types.push(
      ...body.data.filter((event) => event.conversation_id === conversationId).map((event) => event.type),
    );
    if (!body.meta.has_more) return types;
    cursor = body.meta.next_cursor;
  }
}

/** Waits for what the API answers, seldom enough for its rate limit. */
export function eventually(holds: () => Promise<boolean>, withinMs = 30_000): Promise<void> {
  return until(holds, withinMs, 50);
}
