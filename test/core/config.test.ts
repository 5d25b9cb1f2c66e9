import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/core/config.ts';

const SECRET_KEY = 'a secret key of this test';
const DATABASE_URL = 'postgres://user:pass@db.test/tributary';
const REDIS_URL = 'redis://redis.test:6379';

describe('the configuration', () => {
  it('needs nothing at all', () => {
    expect(readConfig({})).toEqual({
      role: 'all',
      host: '127.0.0.1',
      port: 3000,
      publicUrl: undefined,
      dataDir: '.data',
      database: { kind: 'embedded' },
      redis: undefined,
      secretKeys: undefined,
      bootstrapApiKey: undefined,
      adminApiKey: undefined,
      egress: { allow: [], httpsOnly: false, ports: [], proxy: undefined },
      webhooks: {
        scheduleMs: [
          5_000, 300_000, 1_800_000, 7_200_000, 18_000_000, 36_000_000, 50_400_000, 72_000_000, 86_400_000,
        ],
        jitter: 0.2,
        timeoutMs: 15_000,
        disableAfterMs: 432_000_000,
      },
      smtp: undefined,
      trustedProxies: [],
      corsOrigins: [],
      retentionDays: { events: 30, deliveries: 30, attempts: 30, inbound: 30, failedInbound: 90, keys: 90 },
      drainDelayMs: 0,
      logLevel: 'info',
    });
  });

  it('reads every variable', () => {
    const config = readConfig({
      ROLE: 'worker',
      HOST: '0.0.0.0',
      PORT: '0',
      PUBLIC_URL: 'https://chat.example.com/',
      DATA_DIR: '/srv/tributary',
      DATABASE_URL,
      REDIS_URL,
      SECRET_KEY: `${SECRET_KEY} two, ${SECRET_KEY} one`,
      BOOTSTRAP_API_KEY: 'b'.repeat(32),
      ADMIN_API_KEY: 'c'.repeat(32),
      EGRESS_ALLOW: '127.0.0.0/8, fd00::/8',
      EGRESS_HTTPS_ONLY: 'true',
      EGRESS_PORTS: '443, 8443',
      EGRESS_PROXY: 'http://proxy.example:3128',
      WEBHOOK_SCHEDULE: '1s,1m',
      WEBHOOK_JITTER: '0',
      WEBHOOK_TIMEOUT: '30s',
      WEBHOOK_DISABLE_DAYS: '2',
      SMTP_PORT: '2525',
      TRUSTED_PROXIES: '10.0.0.0/8,192.168.1.1',
      CORS_ORIGINS: 'https://example.com,http://localhost:8080',
      RETENTION_EVENTS_DAYS: '7',
      RETENTION_KEYS_DAYS: '120',
      DRAIN_DELAY: '2s',
      LOG_LEVEL: 'debug',
    });
    expect(config).toMatchObject({
      role: 'worker',
      host: '0.0.0.0',
      port: 0,
      publicUrl: 'https://chat.example.com',
      dataDir: '/srv/tributary',
      database: { kind: 'external', url: DATABASE_URL },
      redis: { url: REDIS_URL },
      secretKeys: [`${SECRET_KEY} two`, `${SECRET_KEY} one`],
      egress: {
        allow: ['127.0.0.0/8', 'fd00::/8'],
        httpsOnly: true,
        ports: [443, 8443],
        proxy: 'http://proxy.example:3128',
      },
      webhooks: { scheduleMs: [1_000, 60_000], jitter: 0, timeoutMs: 30_000, disableAfterMs: 172_800_000 },
      smtp: { host: '0.0.0.0', port: 2525, lmtp: false, tls: undefined },
      trustedProxies: ['10.0.0.0/8', '192.168.1.1'],
      corsOrigins: ['https://example.com', 'http://localhost:8080'],
      retentionDays: { events: 7, deliveries: 30, keys: 120 },
      drainDelayMs: 2_000,
      logLevel: 'debug',
    });
  });

  it('cannot be changed afterwards', () => {
    const config = readConfig({});
    expect(() => Object.assign(config.retentionDays, { events: 1 })).toThrow(TypeError);
  });

  it('takes an empty variable for one that nobody set', () => {
    expect(readConfig({ DATABASE_URL: '', PORT: ' ', SECRET_KEY: '' })).toEqual(readConfig({}));
  });

  it('waits five seconds before it drains when a balancer may be in front', () => {
    expect(readConfig({ DATABASE_URL, SECRET_KEY }).drainDelayMs).toBe(5_000);
  });

  it.each([
    ['SECRET_KEY', { DATABASE_URL }],
    ['DATABASE_URL', { ROLE: 'api' }],
    ['DATABASE_URL', { ROLE: 'worker', REDIS_URL, SECRET_KEY }],
    ['REDIS_URL', { ROLE: 'worker', DATABASE_URL, SECRET_KEY }],
    ['REDIS_URL', { ROLE: 'api', DATABASE_URL, SECRET_KEY }],
  ])('says that %s is missing in %o', (name, env) => {
    expect(() => readConfig(env)).toThrow(new RegExp(`^${name} is missing`));
  });

  it.each([
    ['PORT', 'eighty'],
    ['PORT', '70000'],
    ['SMTP_PORT', '-1'],
    ['ROLE', 'both'],
    ['PUBLIC_URL', 'chat.example.com'],
    ['DATABASE_URL', 'mysql://db.test/tributary'],
    ['REDIS_URL', 'localhost:6379'],
    ['SECRET_KEY', 'short'],
    ['SECRET_KEY', `${SECRET_KEY},old`],
    ['BOOTSTRAP_API_KEY', 'b'.repeat(31)],
    ['ADMIN_API_KEY', 'admin'],
    ['EGRESS_ALLOW', '127.0.0.0/99'],
    ['TRUSTED_PROXIES', 'proxy'],
    ['CORS_ORIGINS', 'example.com'],
    ['RETENTION_EVENTS_DAYS', '0'],
    ['RETENTION_KEYS_DAYS', '30'],
    ['DRAIN_DELAY', 'soon'],
    ['DRAIN_DELAY', '11'],
    ['LOG_LEVEL', 'loud'],
  ])('names %s when it is %s', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name}: `));
  });
});
