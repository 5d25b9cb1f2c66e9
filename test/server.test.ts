import { Agent, get, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../src/core/config.ts';
import { createLog } from '../src/core/log.ts';
import { listen } from '../src/server.ts';

/** A server whose answers take a moment, and a client that keeps its connection open. */
async function served() {
  const fetch = () => sleep(200).then(() => new Response('here'));
  const config = { ...readConfig({ DATA_DIR: '/nowhere' }), port: 0 };
  const server = await listen(fetch, { config, log: createLog('silent'), attach: undefined });
  if (server === undefined) throw new Error('it does not listen');
  const agent = new Agent({ keepAlive: true });
  const ask = () =>
    new Promise<IncomingMessage>((resolve, reject) => {
      get(server.url, { agent }, (answer) => {
        answer.resume().once('end', () => resolve(answer));
      }).once('error', reject);
    });
  return { ask, close: () => server.close().finally(() => agent.destroy()) };
}

describe('a connection that is kept open', () => {
  it('is kept longer than balancers keep theirs, who may send on it until then', async () => {
    const { ask, close } = await served();
    expect((await ask()).headers['keep-alive']).toBe('timeout=75');
    await close();
  });

  it('is closed with the answer that was under way when the server closes', async () => {
    const { ask, close } = await served();
    const answering = ask();
    await sleep(50);
    const closed = close();
    expect((await answering).statusCode).toBe(200);
    await closed;
  });
});
