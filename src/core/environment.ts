import ipaddr from 'ipaddr.js';
import { z } from 'zod';
import { parseDuration } from './duration.ts';

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
export type Variables = z.infer<typeof ENVIRONMENT>;

/** The variables with their defaults; an error names the one that is wrong, or missing beside another. */
export function readEnvironment(env: Record<string, string | undefined>): Variables {
  // Compose files pass variables that nobody set as empty ones.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
  const result = ENVIRONMENT.safeParse(given);
  if (result.success) {
    refuseHalfConfiguration(result.data);
    return result.data;
  }
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

function missing(name: string, because: string): Error {
  return new Error(`${name} is missing: ${because} needs it.`);
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
