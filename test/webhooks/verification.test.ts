import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createSigner, generateSecret, signatureHeaders } from '../../src/webhooks/sign.ts';
import { freePort } from '../support/redis.ts';
import { until } from '../support/until.ts';

/* The README's receivers, run as they are printed, against deliveries as we sign them. */

// Go compiles before it runs.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const secret = generateSecret('v1');
const body = JSON.stringify({
  id: 'evt-1',
  type: 'message.received',
  data: { message: { content: 'Grüße 👋' } },
});
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tributary-receivers-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

interface Signed {
  secrets?: string[];
  timestamp?: number;
}

function headersFor({ secrets = [secret], timestamp = Math.floor(Date.now() / 1_000) }: Signed = {}) {
  return signatureHeaders({ id: 'evt-1', timestamp, body }, secrets.map(createSigner));
}

const now = () => Math.floor(Date.now() / 1_000);
type Headers = Record<string, string>;

/** What a receiver must take, and what it must refuse. */
const CASES: [what: string, isGenuine: boolean, request: () => { headers: Headers; text?: string }][] = [
  ['a genuine delivery', true, () => ({ headers: headersFor() })],
  [
    'one during a rotation',
    true,
    () => ({ headers: headersFor({ secrets: [generateSecret('v1'), secret] }) }),
  ],
  [
    'one with an ed25519 signature too',
    true,
    () => ({ headers: headersFor({ secrets: [generateSecret('v1a'), secret] }) }),
  ],
  ['a changed body', false, () => ({ headers: headersFor(), text: body.replace('evt-1', 'evt-2') })],
  ['another secret', false, () => ({ headers: headersFor({ secrets: [generateSecret('v1')] }) })],
  ['an old one', false, () => ({ headers: headersFor({ timestamp: now() - 400 }) })],
  ['one of the future', false, () => ({ headers: headersFor({ timestamp: now() + 400 }) })],
  ['a time that is none', false, () => ({ headers: { ...headersFor(), 'webhook-timestamp': 'a[$(id)]' } })],
  ['no signature', false, () => ({ headers: { ...headersFor(), 'webhook-signature': '' } })],
  ['no headers', false, () => ({ headers: {} })],
  ['a signature of another version', false, () => ({ headers: asVersion('v2') })],
];

function asVersion(version: string): Headers {
  const headers = headersFor();
  return { ...headers, 'webhook-signature': headers['webhook-signature'].replace('v1,', `${version},`) };
}

async function example(info: string): Promise<string> {
  const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
  const text = new RegExp(`^\`\`\`${info}\\n(.*?)^\`\`\``, 'ms').exec(readme)?.[1];
  if (text === undefined) throw new Error(`the README has no example "${info}"`);
  return text;
}

interface Language {
  info: string;
  file: string;
  command: string;
  args: (port: number) => string[];
}

const LANGUAGES: Language[] = [
  { info: 'js receiver', file: 'receiver.mjs', command: process.execPath, args: () => ['receiver.mjs'] },
  { info: 'python receiver', file: 'receiver.py', command: 'python3', args: () => ['receiver.py'] },
  { info: 'go receiver', file: 'receiver.go', command: 'go', args: () => ['run', 'receiver.go'] },
  {
    info: 'php receiver',
    file: 'receiver.php',
    command: 'php',
    args: (port) => ['-S', `127.0.0.1:${port}`, 'receiver.php'],
  },
];

describe.each(LANGUAGES)('the receiver of the README ($info)', ({ info, file, command, args }) => {
  const isMissing = spawnSync(command, ['--version']).error !== undefined;
  if (isMissing)
    process.stderr.write(`\n!!! SKIPPED: the README's receiver in ${file}: no ${command} here !!!\n`);

  it.skipIf(isMissing)('takes what is genuine and nothing else', async () => {
    const port = await freePort();
    await writeFile(join(folder, file), (await example(info)).replaceAll('4000', String(port)));
    const receiver = start(command, args(port));
    try {
      const url = `http://127.0.0.1:${port}/`;
      await until(
        () =>
          fetch(url, { method: 'POST', body: '{}' }).then(
            () => true,
            () => false,
          ),
        100_000,
      );
      for (const [what, isGenuine, request] of CASES) {
        const { headers, text = body } = request();
        const answer = await fetch(url, { method: 'POST', headers, body: text });
        expect([what, answer.status]).toEqual([what, isGenuine ? 204 : 401]);
      }
    } finally {
      await receiver.stop();
    }
  });
});

/** In a group of its own: `go run` leaves a child behind. */
function start(command: string, args: string[]) {
  const child: ChildProcess = spawn(command, args, {
    cwd: folder,
    detached: true,
    stdio: 'ignore',
    env: { ...process.env, WEBHOOK_SECRET: secret, GOFLAGS: '-mod=mod', GO111MODULE: 'off' },
  });
  const ended = new Promise((resolve) => child.once('exit', resolve));
  return {
    async stop() {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
      await ended;
    },
  };
}

describe('the script of the README', () => {
  it('tells what is genuine from what is not', async () => {
    const script = join(folder, 'verify.sh');
    await writeFile(script, await example('sh verify'));
    for (const [what, isGenuine, request] of CASES) {
      const { headers, text = body } = request();
      const args = ['webhook-id', 'webhook-timestamp', 'webhook-signature'].map(
        (name) => headers[name] ?? '',
      );
      const { status } = spawnSync('sh', [script, ...args], {
        input: text,
        env: { ...process.env, WEBHOOK_SECRET: secret },
      });
      expect([what, status]).toEqual([what, isGenuine ? 0 : 1]);
    }
  });
});
