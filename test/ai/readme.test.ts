import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually } from '../support/gateway.ts';
import { freePort } from '../support/redis.ts';
import { type Scene, startScene } from './scene.ts';

/* The README's AI, run as it is printed. */

let scene: Scene;
let folder: string;
let program: ChildProcess;
let url: string;

beforeAll(async () => {
  scene = await startScene();
  folder = await mkdtemp(join(tmpdir(), 'tributary-ai-'));
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const source = /```js\n(\/\/ ai-hook\.mjs[\s\S]*?)```/.exec(readme)?.[1] ?? '';
  await writeFile(join(folder, 'ai-hook.mjs'), source);
  const port = String(await freePort());
  url = `http://127.0.0.1:${port}`;
  const { secret } = await scene.ok<{ secret: string }>('PUT', '/business/ai', { url, mode: 'auto' });
  const env = { ...process.env, AI_SECRET: secret, PORT: port };
  program = spawn(process.execPath, [join(folder, 'ai-hook.mjs')], { env, stdio: 'ignore' });
  await eventually(() => fetch(url));
}, 60_000);
afterAll(async () => {
  program.kill();
  await scene.stop();
  await rm(folder, { recursive: true, force: true });
});

it('answers what it knows', async () => {
  const id = await scene.say('When are you open?', { sender: { external_id: 'ada', name: 'Ada' } });
  await eventually(() => expect(scene.sent(id)).toEqual(['From 9 to 5, Ada.']));
});

it('asks for a person for what it does not know, and for whoever wants one', async () => {
  for (const [question, handoff_reason] of [
    ['It is broken.', 'complex_issue'],
    ['I want a human!', 'user_requested'],
  ] as const) {
    const id = await scene.say(question);
    await eventually(async () =>
      expect(await scene.conversation(id)).toMatchObject({ needs_human_handoff: true, handoff_reason }),
    );
    expect(scene.sent(id)).toEqual([]);
  }
});

it('refuses who is not the gateway', async () => {
  const now = String(Math.floor(Date.now() / 1_000));
  const headers = { 'webhook-id': 'x', 'webhook-timestamp': now, 'webhook-signature': 'v1,AAAA' };
  expect((await fetch(url, { method: 'POST', body: '{}', headers })).status).toBe(401);
  expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(401);
});
