import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { freePort } from '../support/redis.ts';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const [, example = ''] = /^```js channel\n(.*?)^```/ms.exec(readme) ?? [];

describe('the example channel of the README', () => {
  let gateway: TestGateway;
  let folder: string;
  let program: ChildProcess;
  let output = '';

  beforeAll(async () => {
    gateway = await startTestGateway();
    folder = await mkdtemp(join(tmpdir(), 'tributary-example-'));
    await writeFile(join(folder, 'guestbook.mjs'), example);
    const port = await freePort();
    const config = { callback_url: `http://127.0.0.1:${port}/` };
    const { body } = await gateway.call<{ id: string; generated: { secret: string } }>(
      'POST',
      '/api/v1/channels',
      {
        type: 'api',
        config,
      },
    );
    program = spawn(process.execPath, ['guestbook.mjs'], {
      cwd: folder,
      env: {
        SECRET: body.generated.secret,
        DOOR: `${gateway.url}/webhooks/api/${body.id}`,
        PORT: String(port),
      },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    program.stdout?.on('data', (chunk) => {
      output += chunk;
    });
  }, 60_000);
  afterAll(async () => {
    program?.kill();
    await gateway?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('has at most thirty lines', () => {
    expect(example.trim().split('\n').length).toBeLessThanOrEqual(30);
    expect(example).toContain('createServer');
  });

  it('carries a message in, the answer out, and the receipt back', async () => {
    program.stdin?.write('Hello from the console\n');
    const conversation = await eventually(async () => {
      const { body } = await gateway.call<{ data: { id: string; customer: { name: string } }[] }>(
        'GET',
        '/api/v1/conversations/?channel_type=api',
      );
      expect(body.data[0]?.customer.name).toBe('Somebody');
      return body.data[0]?.id;
    });
    const path = `/api/v1/conversations/${conversation}`;
    await gateway.call('POST', `${path}/messages`, { content: 'Hello from the team' });
    await eventually(async () => {
      const { body } = await gateway.call<{ messages: { content: string; status: string | null }[] }>(
        'GET',
        path,
      );
      expect(body.messages.map(({ content, status }) => [content, status])).toEqual([
        ['Hello from the console', null],
        ['Hello from the team', 'delivered'],
      ]);
    });
    expect(output.trim()).toBe('Hello from the team');
  });
});
