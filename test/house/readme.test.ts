import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { freePort } from '../support/redis.ts';
import { type Server, startServer } from '../support/server.ts';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, ROOT), 'utf8');
const readme = await read('README.md');

describe('the tour of the README', () => {
  let server: Server;
  let folder: string;

  beforeAll(async () => {
    server = await startServer({ EGRESS_ALLOW: '127.0.0.0/8' });
    folder = await mkdtemp(join(tmpdir(), 'tributary-readme-'));
  });
  afterAll(async () => {
    await server?.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('does what it says, from the first command to the last', async () => {
    const port = String(await freePort());
    await writeFile(join(folder, 'receiver.mjs'), fenced('js receiver').join().replace('4000', port));
    const { stdout } = await run('bash', ['-c', tour(server, port)], { cwd: folder, timeout: 25_000 });

    // What the receiver printed: each event once, with a signature that it found genuine.
    const received = [...stdout.matchAll(/^([0-9a-f-]{36}) (\S+) ?(.*)$/gm)].map(
      ([, , type, text]) => `${type} ${text}`,
    );
    expect(received).toContain('message.created How can we help?');
    expect(received).toContain('message.created She wrote the first program.');
    expect(received).toContain('conversation.resolved ');
    expect(stdout).toContain('"status":"resolved"');
    expect(stdout).toContain('"status":"delivered"');
  });

  it('names no address of the gateway that does not exist', async () => {
    for (const [, path] of readme.matchAll(/127\.0\.0\.1:3000(\/[a-z.]+)\b/g)) {
      expect((await fetch(server.url + path)).status, path).toBe(200);
    }
    const { paths } = (await (await fetch(`${server.url}/openapi.json`)).json()) as { paths: object };
    const known = Object.keys(paths).map((path) =>
      path.replace(/^\/api\/v1/, '').replaceAll(/\{[^}]*\}/g, 'ID'),
    );
    const named = [
      ...readme.matchAll(
        /`(?:GET|POST|PUT|PATCH|DELETE) (?:\/api\/v1)?(\/[A-Za-z{}_/-]+[A-Za-z}])(?![A-Za-z{}_/-]*[A-Za-z}*])/g,
      ),
    ];
    expect(named.length).toBeGreaterThan(5);
    for (const [, path = ''] of named) {
      expect(known, path).toContain(path.replaceAll(/\{[^}]*\}/g, 'ID'));
    }
  });
});

describe('the README', () => {
  it('explains every variable of the environment, and none that nobody reads', async () => {
    const reader = /const ENVIRONMENT = z\.object\(\{(.*?)\n\}\);/s.exec(
      await read('src/core/environment.ts'),
    )?.[1];
    const read_ = [...(reader ?? '').matchAll(/^ {2}([A-Z_\d]+):/gm)].map(([, name]) => name);
    const explained = [...readme.matchAll(/^\| `([A-Z_\d]+)` \|/gm)].map(([, name]) => name);
    expect(explained.toSorted()).toEqual(read_.toSorted());
  });

  it('lists every channel', async () => {
    const types = [...(await read('src/channels/registry.ts')).matchAll(/from '\.\/([a-z]+)\/adapter\.ts'/g)];
    expect(types.length).toBeGreaterThan(0);
    for (const [, type] of types) expect(readme).toMatch(new RegExp(`^\\| \`${type}\``, 'm'));
  });

  it('has a place for the table of the benchmark', () => {
    expect(readme).toMatch(/<!-- bench -->[\s\S]*<!-- \/bench -->/);
  });

  it('links only to what is there', async () => {
    for (const [, target = ''] of readme.matchAll(/\]\((?!https?:|#)([^)#]+)\)/g)) await read(target);
    const headings = [...readme.matchAll(/^#+ (.+)$/gm)].map(([, text = '']) => slug(text));
    for (const [, anchor] of readme.matchAll(/\]\(#([^)]+)\)/g)) expect(headings).toContain(anchor);
  });

  it('gives the two commands that CI runs', async () => {
    const script = await read('.ci/run');
    expect(readme).toContain('npm ci && npm start');
    expect(readme).toContain('npm ci && npm test');
    for (const command of ['npm ci\n', 'npm run check\n', 'npm test ']) expect(script).toContain(command);
    const { scripts } = parse(await read('package.json')) as { scripts: Record<string, string> };
    for (const [, name = ''] of readme.matchAll(/npm run ([a-z:]+)/g)) expect(scripts).toHaveProperty([name]);
  });
});

/** The texts of the fenced blocks with this info string. */
function fenced(info: string): string[] {
  return [...readme.matchAll(new RegExp(`^\`\`\`${info}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, text = '']) => text,
  );
}

/** The commands as printed, against this server; an answer that is an error fails them. */
function tour({ url, dataDir }: Server, port: string): string {
  const commands = fenced('sh tour')
    .join('\n')
    .replaceAll('http://127.0.0.1:3000', url)
    .replaceAll('./.data/', `${dataDir}/`)
    .replaceAll('127.0.0.1:4000', `127.0.0.1:${port}`);
  return [
    'set -euo pipefail',
    'set -m',
    "trap 'jobs -p | xargs -r kill 2>/dev/null || true' EXIT",
    'curl() { command curl --fail-with-body -sS "$@" && echo; }',
    waiting(port),
    commands,
  ].join('\n');
}

/** In place of `sleep`: until the receiver listens, and the second time until it has heard of the end, however slow the machine. */
function waiting(port: string): string {
  return `
    sleep() {
      slept=$((\${slept:-0} + 1))
      for _ in $(seq 100); do
        if listens && { [ $slept = 1 ] || heard; }; then return; fi
        command sleep 0.1
      done
      return 1
    }
    listens() { (exec 3<> /dev/tcp/127.0.0.1/${port}) 2> /dev/null; }
    heard() { deliveries 'status=delivered&type=conversation.resolved' && ! deliveries status=pending; }
    deliveries() {
      local endpoint=$(command curl -s $URL/api/v1/webhook-endpoints -H "Authorization: Bearer $KEY" | field .data[0].id)
      command curl -s "$URL/api/v1/webhook-endpoints/$endpoint/deliveries?$1" -H "Authorization: Bearer $KEY" | grep -q '"id"'
    }`;
}

function slug(heading: string): string {
  return heading
    .toLowerCase()
    .replaceAll(/[^a-z0-9 -]/g, '')
    .replaceAll(' ', '-');
}
