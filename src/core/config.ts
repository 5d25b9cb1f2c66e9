import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { parseDuration } from './duration.ts';

export interface Config {
  role: 'all' | 'api' | 'worker';
  host: string;
  port: number;
  /** How the world reaches us, without a trailing slash. */
  publicUrl: string | undefined;
  dataDir: string;
  database: { kind: 'embedded' } | { kind: 'external'; url: string };
  redis: { url: string } | undefined;
  /** The newest first; undefined only with the embedded database, which then has one generated in DATA_DIR. */
  secretKeys: string[] | undefined;
  bootstrapApiKey: string | undefined;
  adminApiKey: string | undefined;
  egress: EgressConfig;
  webhooks: WebhookPolicy;
  /** Receiving mail; undefined: off. */
  smtp: SmtpConfig | undefined;
  /** Where attachments are kept; undefined: in DATA_DIR. */
  s3: S3Config | undefined;
  trustedProxies: string[];
  corsOrigins: string[];
  retentionDays: RetentionDays;
  /** How long what was said is kept once it is over; undefined: for good. */
  messageDays: number | undefined;
  /** How long attachments are kept; undefined: as long as their messages. */
  attachmentDays: number | undefined;
  drainDelayMs: number;
  logLevel: string;
}

/** A bucket of Amazon's or of any service that speaks its protocol. */
export interface S3Config {
  bucket: string;
  region: string;
  /** The service's address; undefined: Amazon's own. */
  endpoint: string | undefined;
  /** Undefined: what the machine itself is given (a role). */
  credentials: { accessKeyId: string; secretAccessKey: string } | undefined;
  /** Before every key, so that a bucket may hold other things too. */
  prefix: string;
}

export interface SmtpConfig {
  host: string;
  port: number;
  /** LMTP is spoken by a mail server of one's own that stands in front. */
  lmtp: boolean;
  /** Files in PEM; without them nothing is encrypted. */
  tls: { keyFile: string; certFile: string } | undefined;
}

/** Where requests to addresses that somebody gave us may go. */
export interface EgressConfig {
  /** CIDRs that may be reached although they are private. */
  allow: string[];
  httpsOnly: boolean;
  /** The only ports of http(s) addresses; empty: all but those that browsers refuse too. */
  ports: number[];
  /** A forward proxy for all http(s) requests to such addresses. */
  proxy: string | undefined;
}

/** How deliveries are tried, and when an endpoint is given up. */
export interface WebhookPolicy {
  /** The wait before each try after the first, which is made at once. */
  scheduleMs: number[];
  /** How far each wait may be off, as a share of it. */
  jitter: number;
  /** For one whole try, from connecting to the end of the answer. */
  timeoutMs: number;
  disableAfterMs: number;
}

export interface RetentionDays {
  events: number;
  deliveries: number;
  attempts: number;
  inbound: number;
  failedInbound: number;
  keys: number;
}

/** Reads the environment once; an error names the variable that is wrong or missing. */
export function readConfig(env: Record<string, string | undefined> = process.env): Config {
  const variables = parse(env);
  refuseHalfConfiguration(variables);
  return deepFreeze({
    role: variables.ROLE,
    host: variables.HOST,
    port: variables.PORT,
    publicUrl: variables.PUBLIC_URL,
    dataDir: variables.DATA_DIR,
    database: variables.DATABASE_URL
      ? { kind: 'external', url: variables.DATABASE_URL }
      : { kind: 'embedded' },
    redis: variables.REDIS_URL ? { url: variables.REDIS_URL } : undefined,
    secretKeys: variables.SECRET_KEY,
    bootstrapApiKey: variables.BOOTSTRAP_API_KEY,
    adminApiKey: variables.ADMIN_API_KEY,
    egress: {
      allow: variables.EGRESS_ALLOW,
      httpsOnly: variables.EGRESS_HTTPS_ONLY,
      ports: variables.EGRESS_PORTS,
      proxy: variables.EGRESS_PROXY,
    },
    webhooks: {
      scheduleMs: variables.WEBHOOK_SCHEDULE,
      jitter: variables.WEBHOOK_JITTER,
      timeoutMs: variables.WEBHOOK_TIMEOUT,
      disableAfterMs: variables.WEBHOOK_DISABLE_DAYS * 86_400_000,
    },
    smtp: smtpOf(variables),
    s3: s3Of(variables),
    trustedProxies: variables.TRUSTED_PROXIES,
    corsOrigins: variables.CORS_ORIGINS,
    retentionDays: retentionDays(variables),
    messageDays: variables.RETENTION_MESSAGES_DAYS,
    attachmentDays: variables.RETENTION_ATTACHMENTS_DAYS,
    // A balancer in front needs time to notice; a single process has none.
    drainDelayMs: variables.DRAIN_DELAY ?? (variables.DATABASE_URL ? 5_000 : 0),
    logLevel: variables.LOG_LEVEL,
  });
}

const ADDRESS_OR_RANGE = 'must be IP addresses or ranges such as 10.0.0.0/8';
const API_KEY_LENGTH = 32;
const SECRET_KEY_LENGTH = 16;
const DUPLICATES_KNOWN_DAYS = 90;

const port = z.coerce.number('must be a port number').int().min(0).max(65_535);
const days = (usual: number, least = 1) =>
  z.coerce.number('must be a number of days').int().min(least).default(usual);
const list = z
  .string()
  .default('')
  .transform((text) => text.split(',').map((item) => item.trim()))
  .transform((items) => items.filter((item) => item !== ''));
const apiKey = z.string().min(API_KEY_LENGTH, `must have at least ${API_KEY_LENGTH} characters`);
const addresses = list.refine((items) => items.every(isAddressOrRange), ADDRESS_OR_RANGE);

const ENVIRONMENT = z.object({
  ROLE: z.enum(['all', 'api', 'worker'], 'must be all, api or worker').default('all'),
  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  PUBLIC_URL: url('http', 'https')
    .transform((text) => text.replace(/\/+$/, ''))
    .optional(),
  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: url('postgres', 'postgresql').optional(),
  REDIS_URL: url('redis', 'rediss').optional(),
  SECRET_KEY: list
    .refine(areSecretKeys, `must have at least ${SECRET_KEY_LENGTH} characters each`)
    .optional(),
  BOOTSTRAP_API_KEY: apiKey.optional(),
  ADMIN_API_KEY: apiKey.optional(),
  EGRESS_ALLOW: addresses,
  EGRESS_HTTPS_ONLY: z
    .enum(['true', 'false'], 'must be true or false')
    .default('false')
    .transform((text) => text === 'true'),
  EGRESS_PROXY: url('http', 'https').optional(),
  EGRESS_PORTS: list.transform((items) => items.map(Number)).refine(arePorts, 'must be port numbers'),
  WEBHOOK_SCHEDULE: z.string().default('5s,5m,30m,2h,5h,10h,14h,20h,24h').transform(waits),
  WEBHOOK_JITTER: z.coerce.number('must be a number').min(0).max(0.9).default(0.2),
  WEBHOOK_TIMEOUT: z.string().default('15s').transform(timeout),
  WEBHOOK_DISABLE_DAYS: z.coerce.number('must be a number of days').min(0.01).max(365).default(5),
  S3_BUCKET: z.string().optional(),
  S3_ENDPOINT: url('http', 'https').optional(),
  S3_REGION: z.string().default('us-east-1'),
  S3_ACCESS_KEY_ID: z.string().optional(),
  S3_SECRET_ACCESS_KEY: z.string().optional(),
  S3_PREFIX: z.string().default(''),
  SMTP_PORT: port.optional(),
  SMTP_HOST: z.string().optional(),
  SMTP_PROTOCOL: z.enum(['smtp', 'lmtp'], 'must be smtp or lmtp').default('smtp'),
  SMTP_TLS_KEY: z.string().optional(),
  SMTP_TLS_CERT: z.string().optional(),
  TRUSTED_PROXIES: addresses,
  CORS_ORIGINS: list.refine(
    (items) => items.every(isOrigin),
    'must be * or origins such as https://example.com',
  ),
  RETENTION_EVENTS_DAYS: days(30),
  RETENTION_DELIVERIES_DAYS: days(30),
  RETENTION_ATTEMPTS_DAYS: days(30),
  RETENTION_INBOUND_DAYS: days(30),
  RETENTION_FAILED_INBOUND_DAYS: days(90),
  RETENTION_KEYS_DAYS: days(DUPLICATES_KNOWN_DAYS, DUPLICATES_KNOWN_DAYS),
  RETENTION_MESSAGES_DAYS: z.coerce.number('must be a number of days').int().min(1).optional(),
  RETENTION_ATTACHMENTS_DAYS: z.coerce.number('must be a number of days').int().min(1).optional(),
  DRAIN_DELAY: z.string().transform(milliseconds).optional(),
  LOG_LEVEL: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'], 'must be a level such as info')
    .default('info'),
});
type Variables = z.infer<typeof ENVIRONMENT>;

function parse(env: Record<string, string | undefined>): Variables {
  // Compose files pass variables that nobody set as empty ones.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const result = ENVIRONMENT.safeParse(given);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Error(`${String(issue?.path[0])}: ${issue?.message}.`);
}

function refuseHalfConfiguration(variables: Variables): void {
  const { ROLE, DATABASE_URL, REDIS_URL, SECRET_KEY, SMTP_TLS_KEY, SMTP_TLS_CERT } = variables;
  if (ROLE !== 'all' && !DATABASE_URL) throw missing('DATABASE_URL', `ROLE=${ROLE}`);
  if (ROLE !== 'all' && !REDIS_URL) throw missing('REDIS_URL', `ROLE=${ROLE}`);
  if (DATABASE_URL && !SECRET_KEY) throw missing('SECRET_KEY', 'DATABASE_URL');
  refuseHalfBucket(variables);
  if (SMTP_TLS_KEY && !SMTP_TLS_CERT) throw missing('SMTP_TLS_CERT', 'SMTP_TLS_KEY');
  if (SMTP_TLS_CERT && !SMTP_TLS_KEY) throw missing('SMTP_TLS_KEY', 'SMTP_TLS_CERT');
}

function refuseHalfBucket(variables: Variables): void {
  const { S3_BUCKET, S3_ENDPOINT, S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY } = variables;
  for (const name of ['S3_ENDPOINT', 'S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY'] as const)
    if (variables[name] && !S3_BUCKET) throw missing('S3_BUCKET', name);
  if (S3_ACCESS_KEY_ID && !S3_SECRET_ACCESS_KEY) throw missing('S3_SECRET_ACCESS_KEY', 'S3_ACCESS_KEY_ID');
  if (S3_SECRET_ACCESS_KEY && !S3_ACCESS_KEY_ID) throw missing('S3_ACCESS_KEY_ID', 'S3_SECRET_ACCESS_KEY');
  if (S3_ENDPOINT && !S3_ACCESS_KEY_ID) throw missing('S3_ACCESS_KEY_ID', 'S3_ENDPOINT');
}

/** Without a bucket files are kept on disk. */
function s3Of(variables: Variables): S3Config | undefined {
  const { S3_BUCKET, S3_ENDPOINT, S3_REGION, S3_PREFIX } = variables;
  const { S3_ACCESS_KEY_ID: accessKeyId, S3_SECRET_ACCESS_KEY: secretAccessKey } = variables;
  if (S3_BUCKET === undefined) return undefined;
  return {
    bucket: S3_BUCKET,
    region: S3_REGION,
    endpoint: S3_ENDPOINT,
    credentials: accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined,
    prefix: S3_PREFIX,
  };
}

/** Without a port nothing of it is wanted. */
function smtpOf(variables: Variables): SmtpConfig | undefined {
  const { SMTP_PORT, SMTP_HOST, SMTP_PROTOCOL, SMTP_TLS_KEY, SMTP_TLS_CERT, HOST } = variables;
  if (SMTP_PORT === undefined) return undefined;
  return {
    host: SMTP_HOST ?? HOST,
    port: SMTP_PORT,
    lmtp: SMTP_PROTOCOL === 'lmtp',
    tls: SMTP_TLS_KEY && SMTP_TLS_CERT ? { keyFile: SMTP_TLS_KEY, certFile: SMTP_TLS_CERT } : undefined,
  };
}

function missing(name: string, because: string): Error {
  return new Error(`${name} is missing: ${because} needs it.`);
}

function retentionDays(variables: Variables): RetentionDays {
  return {
    events: variables.RETENTION_EVENTS_DAYS,
    deliveries: variables.RETENTION_DELIVERIES_DAYS,
    attempts: variables.RETENTION_ATTEMPTS_DAYS,
    inbound: variables.RETENTION_INBOUND_DAYS,
    failedInbound: Math.max(variables.RETENTION_FAILED_INBOUND_DAYS, variables.RETENTION_INBOUND_DAYS),
    keys: variables.RETENTION_KEYS_DAYS,
  };
}

function url(...schemes: string[]) {
  const isUrl = (text: string) => schemes.includes(URL.parse(text)?.protocol.slice(0, -1) ?? '');
  return z.string().refine(isUrl, `must be a URL that begins with ${schemes[0]}://`);
}

function areSecretKeys(keys: string[]): boolean {
  return keys.length > 0 && keys.every((key) => key.length >= SECRET_KEY_LENGTH);
}

function isAddressOrRange(text: string): boolean {
  return ipaddr.isValid(text) || ipaddr.isValidCIDR(text);
}

function isOrigin(text: string): boolean {
  return text === '*' || URL.parse(text)?.origin === text.replace(/\/$/, '');
}

function arePorts(ports: number[]): boolean {
  return ports.every((number) => Number.isInteger(number) && number > 0 && number <= 65_535);
}

function waits(text: string, context: z.RefinementCtx): number[] {
  const parsed = text.split(',').map(parseDuration);
  const known = parsed.filter((ms) => ms !== undefined);
  if (known.length === parsed.length) return known;
  context.addIssue({ code: 'custom', message: 'must be durations such as 5s,5m,2h' });
  return z.NEVER;
}

function timeout(text: string, context: z.RefinementCtx): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms >= MIN_TIMEOUT_MS && ms <= MAX_TIMEOUT_MS) return ms;
  context.addIssue({ code: 'custom', message: 'must be a duration from 100ms to 60s' });
  return z.NEVER;
}

const MIN_TIMEOUT_MS = 100;
const MAX_TIMEOUT_MS = 60_000;

function milliseconds(text: string, context: z.RefinementCtx): number {
  const ms = parseDuration(text);
  if (ms !== undefined && ms <= MAX_DRAIN_DELAY_MS) return ms;
  context.addIssue({ code: 'custom', message: 'must be seconds, from 0 to 10' });
  return z.NEVER;
}

// Stopping takes 15 s in all, and what is under way needs its part of them.
const MAX_DRAIN_DELAY_MS = 10_000;

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (part !== null && typeof part === 'object') deepFreeze(part);
  return Object.freeze(value);
}
