import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { readConfig } from '../../src/core/config.ts';

const run = promisify(execFile);
const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFile(new URL(path, ROOT), 'utf8');

interface Service {
  image: string;
  build?: string;
  environment?: Record<string, string | null>;
  entrypoint?: string[];
  volumes?: string[];
  networks?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test: string[] };
  deploy?: { replicas: number };
}

interface Compose {
  services: Record<'init' | 'postgres' | 'redis' | 'api' | 'worker' | 'proxy', Service>;
  volumes: Record<string, unknown>;
  networks: Record<string, { internal?: boolean } | null>;
}

const compose = parse(await read('docker-compose.yml'), { merge: true }) as Compose;
const { init, postgres, redis, api, worker, proxy } = compose.services;
const gateways = [api, worker];

describe('docker-compose.yml', () => {
  it('runs two processes of each role on the same image', () => {
    expect(gateways.map((service) => service.deploy?.replicas)).toEqual([2, 2]);
    expect(gateways.map((service) => service.environment?.['ROLE'])).toEqual(['api', 'worker']);
    expect(new Set([init, ...gateways].map((service) => service.image)).size).toBe(1);
  });

  it('gives the gateway only variables that it reads, and enough of them', async () => {
    const reader = await read('src/core/environment.ts');
    for (const { environment = {} } of gateways) {
      for (const name of Object.keys(environment)) expect(reader, name).toMatch(new RegExp(`\\b${name}:`));
      const given = Object.entries(environment).filter(([, value]) => value !== null);
      const config = readConfig({ ...Object.fromEntries(given as [string, string][]), ...secretsOfInit() });
      expect(config.database.kind).toBe('external');
      expect(config.redis).toEqual({ url: 'redis://redis:6379' });
    }
  });

  it('passes on every setting that is not its own to decide', async () => {
    const reader = (await read('src/core/environment.ts')).split('z.object({')[1]?.split('\n});')[0] ?? '';
    const known = [...reader.matchAll(/^ {2}([A-Z_\d]+):/gm)].map(([, name = '']) => name);
    // The image, the init step and the proxy say these; mail by SMTP needs a port that only the operator can open.
    const decided = /^(HOST|PORT|DATA_DIR|DATABASE_URL|SECRET_KEY|BOOTSTRAP_API_KEY|ADMIN_API_KEY|SMTP_\w+)$/;
    const expected = known.filter((name) => !decided.test(name));
    for (const { environment = {} } of gateways)
      expect(Object.keys(environment).toSorted()).toEqual(expected.toSorted());
  });

  it('holds no secret, neither written out nor as a default', () => {
    const variables = Object.values(compose.services).flatMap(({ environment = {} }) =>
      Object.entries(environment),
    );
    for (const [name, value] of variables) {
      // Without a value it comes from whoever starts it.
      if (value !== null && /SECRET|PASSWORD|KEY|TOKEN/.test(name)) expect(value, name).toMatch(/^\/run\//);
      expect(value ?? '', name).not.toMatch(/:\/\/[^/]*@/);
    }
  });

  it('hands out the secrets on volumes, to Postgres no more than its password', () => {
    expect(init.volumes).toEqual(['secrets:/run/tributary', 'postgres-secret:/run/postgres-secret']);
    for (const service of gateways) expect(service.volumes).toContain('secrets:/run/tributary:ro');
    expect(postgres.volumes).toContain('postgres-secret:/run/postgres-secret:ro');
    expect([postgres, redis, proxy].flatMap(({ volumes }) => volumes).join()).not.toContain('run/tributary');
  });

  it('shares the files of attachments between all processes and keeps all data on named volumes', () => {
    for (const service of gateways) expect(service.volumes).toContain('files:/data');
    expect(postgres.volumes).toContain('postgres-data:/var/lib/postgresql');
    expect(redis.volumes).toContain('redis-data:/data');
    const named = Object.values(compose.services)
      .flatMap(({ volumes = [] }) => volumes)
      .map((volume) => volume.split(':')[0] ?? '')
      .filter((source) => !source.startsWith('.'));
    expect(new Set(named)).toEqual(new Set(Object.keys(compose.volumes)));
  });

  it('starts each part only when what it needs is healthy', async () => {
    for (const service of gateways) {
      expect(service.depends_on).toEqual({
        init: { condition: 'service_completed_successfully' },
        postgres: { condition: 'service_healthy' },
        redis: { condition: 'service_healthy' },
      });
    }
    expect(postgres.depends_on).toEqual({ init: { condition: 'service_completed_successfully' } });
    expect(proxy.depends_on).toEqual({ api: { condition: 'service_healthy' } });
    for (const service of [postgres, redis, proxy]) expect(service.healthcheck?.test[0]).toBe('CMD');
    expect(await read('Dockerfile')).toContain('docker/healthcheck.mjs');
    expect(await read('docker/healthcheck.mjs')).toContain('/health/live');
  });

  it('lets nobody but the proxy in, and keeps the stores on a network of their own', () => {
    const published = Object.entries(compose.services).filter(([, { ports }]) => ports !== undefined);
    expect(published.map(([name]) => name)).toEqual(['proxy']);
    expect(proxy.ports).toEqual([expect.stringMatching(/^\$\{LISTEN:-127\.0\.0\.1:3000\}:8080$/)]);
    expect(compose.networks['private']).toEqual({ internal: true });
    for (const store of [postgres, redis]) expect(store.networks).toEqual(['private']);
    expect(proxy.networks).toEqual(['public']);
  });

  it('keeps a polling socket on one process and leaves draining ones out', async () => {
    const proxy = await read('docker/haproxy.cfg');
    const sockets = proxy.split('\nbackend sockets')[1]?.split('\nbackend ')[0];
    expect(sockets).toMatch(/balance source/);
    // A check without a Host is a bad request to Node.
    expect(proxy).toMatch(/http-check send meth GET uri \/health\/ready ver HTTP\/1\.1 hdr Host/);
  });
});

describe('the image', () => {
  it('holds what draws pictures, which its library calls optional', async () => {
    const { optionalDependencies } = parse(await read('node_modules/sharp/package.json'));
    const needed = Object.keys(optionalDependencies).filter((name) => name.includes('linux-x64'));
    expect(needed.length).toBeGreaterThan(0);
    const install = /^RUN npm ci.*$/m.exec(await read('Dockerfile'))?.[0] ?? '';
    expect(install).not.toContain('optional');
    for (const name of needed) expect(install).not.toContain(name.split('/')[0]);
  });
});

describe('the start of a container', () => {
  let folder: string;
  let environment: Record<string, string>;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tributary-compose-'));
    environment = { PATH: process.env['PATH'] ?? '', SECRETS_DIR: folder, POSTGRES_SECRETS_DIR: folder };
  });
  afterEach(() => rm(folder, { recursive: true }));

  const script = (name: string) => new URL(`docker/${name}`, ROOT).pathname;
  const makeSecrets = () => run(script('make-secrets.sh'), { env: environment });
  const start = async (env: Record<string, string> = {}) => {
    const { stdout } = await run(script('entrypoint.sh'), ['env'], { env: { ...environment, ...env } });
    return Object.fromEntries(stdout.split('\n').map((line) => line.split(/=(.*)/s).slice(0, 2)));
  };

  it('makes random secrets once, readable by their owner alone', async () => {
    await makeSecrets();
    const first = await contents(folder);
    await makeSecrets();
    expect(await contents(folder)).toEqual(first);
    expect(Object.keys(first).length).toBe(5);
    expect(new Set(Object.values(first)).size).toBe(4);
    for (const name of Object.keys(first)) expect((await stat(join(folder, name))).mode & 0o077).toBe(0);
  });

  it('gives the process a configuration that its reader accepts', async () => {
    await makeSecrets();
    const config = readConfig({ ...(await start({ ROLE: 'api', REDIS_URL: 'redis://redis:6379' })) });
    const { postgres_password: password } = await contents(folder);
    expect(config.database).toEqual({
      kind: 'external',
      url: `postgres://tributary:${password}@postgres:5432/tributary`,
    });
    expect(config.bootstrapApiKey).toMatch(/^[0-9a-f]{64}$/);
    expect(config.adminApiKey).toMatch(/^[0-9a-f]{64}$/);
  });

  it('leaves what the environment says already', async () => {
    await makeSecrets();
    expect((await start({ DATABASE_URL: 'postgres://db/mine' }))['DATABASE_URL']).toBe('postgres://db/mine');
  });

  it('goes over to a new key in steps, each of which every process can read', async () => {
    await makeSecrets();
    const keys = async () => (await start())['SECRET_KEY']?.split(',') ?? [];
    const rotate = (step: string) => run(script('rotate-secret-key.sh'), [step], { env: environment });
    const [old] = await keys();
    await rotate('add');
    const [first, fresh] = await keys();
    expect([first, fresh]).toEqual([old, expect.stringMatching(/^[0-9a-f]{64}$/)]);
    expect(fresh).not.toBe(old);
    await expect(rotate('drop')).rejects.toMatchObject({ code: 2 });
    await rotate('use');
    expect(await keys()).toEqual([fresh, old]);
    // As if somebody did not know whether it was done.
    await expect(rotate('use')).rejects.toMatchObject({ code: 2 });
    expect(await keys()).toEqual([fresh, old]);
    await rotate('drop');
    expect(await keys()).toEqual([fresh]);
    expect((await stat(join(folder, 'secret_key'))).mode & 0o077).toBe(0);
    await expect(rotate('')).rejects.toMatchObject({ code: 2 });
  });

  it('needs no secrets folder where everything is in the environment', async () => {
    expect((await start({ SECRETS_DIR: join(folder, 'none') }))['SECRET_KEY']).toBeUndefined();
  });
});

function secretsOfInit(): Record<string, string> {
  return {
    DATABASE_URL: 'postgres://tributary:x@postgres:5432/tributary',
    SECRET_KEY: 'x'.repeat(64),
    BOOTSTRAP_API_KEY: 'x'.repeat(64),
  };
}

async function contents(folder: string): Promise<Record<string, string>> {
  const names = await readdir(folder);
  return Object.fromEntries(
    await Promise.all(names.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  );
}
