import { readEnvironment, type Variables } from './environment.ts';

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
  const variables = readEnvironment(env);
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

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value)) if (part !== null && typeof part === 'object') deepFreeze(part);
  return Object.freeze(value);
}
