import { chmod, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Program, startProgram } from '../support/program.ts';
import type { Credentials } from '../support/server.ts';

let dataDir: string;
let program: Program | undefined;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'tributary-killed-'));
  // As root, Postgres runs as another user, who must pass through.
  await chmod(dataDir, 0o711);
});
afterEach(async () => {
  await program?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const pidFile = () => join(dataDir, 'postgres/data/postmaster.pid');
const postmasterPid = async () => Number((await readFile(pidFile(), 'utf8')).split('\n')[0]);

it('goes on when its Postgres is killed, answers 503 meanwhile and loses nothing', async () => {
  program = await startProgram({ DATA_DIR: dataDir, LOG_LEVEL: 'error' });
  const { url } = program;
  const made: Credentials = JSON.parse(await readFile(join(dataDir, 'credentials.json'), 'utf8'));
  const headers = { authorization: `Bearer ${made.api_key}`, 'content-type': 'application/json' };
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers,
      body: JSON.stringify(body) ?? null,
    });
    return { status: response.status, body: (await response.json()) as never };
  };
  const { id } = (await call('POST', '/conversations', { business_id: made.business_id })).body as {
    id: string;
  };

  const accepted: string[] = [];
  const statuses = new Set<number>();
  const write = async (content: string) => {
    const { status } = await call('POST', `/conversations/${id}/messages`, { content });
    statuses.add(status);
    if (status === 202) accepted.push(content);
    return status;
  };
  await write('before');
  for (const round of [1, 2]) {
    process.kill(await postmasterPid(), 'SIGKILL');
    const killedAt = Date.now();
    for (let n = 0; (await write(`round ${round}, ${n}`)) !== 202 || n < 20; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(Date.now() - killedAt).toBeLessThan(10_000);
  }
  expect(statuses).toEqual(new Set([202, 503]));

  // Also the lanes, the dispatcher and their queue have found it again: everything accepted is sent.
  const sent = async () => {
    const { body } = await call('GET', `/conversations/${id}`);
    const { messages } = body as { messages: { content: string; status: string }[] };
    return messages.filter(({ status }) => status === 'sent').map(({ content }) => content);
  };
  await expect.poll(sent).toEqual(expect.arrayContaining(accepted));
  expect(program.output()).toContain('Postgres ended by itself');
  expect(await program.stop()).toBe(0);
  await expect(stat(pidFile())).rejects.toThrow('ENOENT');
}, 60_000);
