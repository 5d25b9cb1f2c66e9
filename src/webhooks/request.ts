import type { Dispatcher } from 'undici';
import { parseRetryAfter } from './schedule.ts';

/** What kind of failure a try met, as the delivery log shows it. */
export const OUTCOMES = [
  'delivered',
  'dns',
  'connect',
  'tls',
  'timeout',
  'blocked',
  'proxy',
  'http_3xx',
  'http_4xx',
  'http_5xx',
  'too_large',
  'unknown',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

/** What one try led to. A failure of the receiver is data, not an exception. */
export interface Answer {
  outcome: Outcome;
  statusCode: number | null;
  /** What went wrong, in words; null when the receiver answered. */
  message: string | null;
  headers: Record<string, string> | null;
  excerpt: string | null;
  retryAfterMs: number | undefined;
  durationMs: number;
  /** We cut it ourselves before an answer: it says nothing about the receiver. */
  wasInterrupted: boolean;
}

export interface Post {
  url: URL;
  headers: Record<string, string>;
  body: string;
}

export interface PostLimits {
  timeoutMs: number;
  /** Our own reason to stop: the lane is lost or the process ends. */
  signal: AbortSignal;
  /** How much of the answer is read; enough to show in a log unless told otherwise. */
  maxBytes?: number;
}

const EXCERPT_BYTES = 20_000;
const STOPPED = 'stopped by us before an answer';

/** Sends one POST and reads its answer up to a limit. Follows no redirects and unpacks nothing. */
export function post(
  dispatcher: Dispatcher,
  { url, headers, body }: Post,
  limits: PostLimits,
): Promise<Answer> {
  return new Promise((resolve) => {
    const exchange = openExchange(limits, resolve);
    if (limits.signal.aborted) return exchange.end('unknown', STOPPED);
    const path = url.pathname + url.search;
    try {
      dispatcher.dispatch(
        { origin: url.origin, path, method: 'POST', headers, body },
        handlerOf(exchange, limits.maxBytes),
      );
    } catch (error) {
      exchange.end('unknown', readable(String(error)));
    }
  });
}

/** One request and what has come back of it so far. */
interface Exchange {
  statusCode: number | null;
  headers: Record<string, string> | null;
  retryAfterMs: number | undefined;
  chunks: Buffer[];
  receivedBytes: number;
  controller: Dispatcher.DispatchController | undefined;
  isEnded: boolean;
  /** Ends it and lets the connection go. The status decides: once it is here, how the body ends changes nothing. */
  end(outcome: Outcome, message: string | null): void;
}

function openExchange({ timeoutMs, signal }: PostLimits, resolve: (answer: Answer) => void): Exchange {
  const startedAt = performance.now();
  const deadline = setTimeout(() => exchange.end('timeout', `no answer within ${timeoutMs} ms`), timeoutMs);
  const onAbort = () => exchange.end('unknown', STOPPED);
  signal.addEventListener('abort', onAbort, { once: true });
  const exchange: Exchange = {
    statusCode: null,
    headers: null,
    retryAfterMs: undefined,
    chunks: [],
    receivedBytes: 0,
    controller: undefined,
    isEnded: false,
    end(outcome, message) {
      if (exchange.isEnded) return;
      exchange.isEnded = true;
      clearTimeout(deadline);
      signal.removeEventListener('abort', onAbort);
      exchange.controller?.abort(new Error('ended'));
      const { statusCode, headers, retryAfterMs } = exchange;
      resolve({
        outcome: statusCode === null ? outcome : outcomeOf(statusCode),
        statusCode,
        message: statusCode === null ? message : null,
        headers,
        excerpt: excerptOf(exchange.chunks),
        retryAfterMs,
        durationMs: Math.round(performance.now() - startedAt),
        wasInterrupted: signal.aborted && statusCode === null,
      });
    },
  };
  return exchange;
}

function handlerOf(exchange: Exchange, maxBytes = EXCERPT_BYTES): Dispatcher.DispatchHandler {
  return {
    onRequestStart(controller) {
      // It waited for a connection until after its deadline: it must not leave any more.
      if (exchange.isEnded) controller.abort(new Error('ended'));
      exchange.controller = controller;
    },
    onResponseStart(_controller, statusCode, headers) {
      // 1xx only announces the answer.
      if (statusCode < 200) return;
      exchange.statusCode = statusCode;
      exchange.headers = headersOf(headers);
      exchange.retryAfterMs = parseRetryAfter(String(headers['retry-after'] ?? ''), new Date());
    },
    onResponseData(_controller, chunk) {
      exchange.chunks.push(chunk.subarray(0, maxBytes - exchange.receivedBytes));
      exchange.receivedBytes += chunk.length;
      if (exchange.receivedBytes < maxBytes) return;
      exchange.end('too_large', null);
    },
    onResponseEnd() {
      exchange.controller = undefined;
      exchange.end('unknown', 'no status');
    },
    onResponseError(_controller, error) {
      exchange.end(failureOf(error), readable(error.message) || error.name);
    },
  };
}

function outcomeOf(statusCode: number): Outcome {
  if (statusCode < 300) return 'delivered';
  if (statusCode < 400) return 'http_3xx';
  return statusCode < 500 ? 'http_4xx' : 'http_5xx';
}

const TLS_CODE = /^(ERR_TLS|ERR_SSL|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO|EPROTO)/;
const DNS_CODE = /^(ENOTFOUND|ENODATA|ESERVFAIL|EAI_)/;
const CONNECT_CODE =
  /^(ECONN|EHOST|ENET|ETIMEDOUT|EPIPE|EADDRNOTAVAIL|UND_ERR_CONNECT_TIMEOUT|UND_ERR_SOCKET|UND_ERR_CLOSED|UND_ERR_DESTROYED)/;

/** The class of an error of ours or of the network; what none of them knows (malformed HTTP) is `unknown`. */
function failureOf(error: Error): Outcome {
  const code = codeOf(error);
  if (code === 'EGRESS_BLOCKED') return 'blocked';
  if (code === 'EGRESS_PROXY') return 'proxy';
  if (DNS_CODE.test(code)) return 'dns';
  if (TLS_CODE.test(code)) return 'tls';
  if (CONNECT_CODE.test(code)) return 'connect';
  if (/_TIMEOUT$/.test(code)) return 'timeout';
  return /HEADERS?_OVERFLOW$/.test(code) ? 'too_large' : 'unknown';
}

/** With several addresses, each failed on its own: the first tells. */
function codeOf(error: Error): string {
  if (error instanceof AggregateError && error.errors[0] instanceof Error) return codeOf(error.errors[0]);
  return 'code' in error && typeof error.code === 'string' ? error.code : '';
}

const MAX_HEADERS = 30;
const MAX_HEADER_LENGTH = 500;
// A session that the receiver opened for us is nobody else's.
const PRIVATE_HEADER = 'set-cookie';

/** Enough of them to find the answer again in somebody's logs. */
function headersOf(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const some = Object.entries(headers)
    .filter(([name]) => name !== PRIVATE_HEADER)
    .slice(0, MAX_HEADERS);
  return Object.fromEntries(
    some.map(([name, value]) => [name, readable(String(value)).toWellFormed().slice(0, MAX_HEADER_LENGTH)]),
  );
}

const REPLACEMENT = '\uFFFD';

function excerptOf(chunks: Buffer[]): string | null {
  if (chunks.length === 0) return null;
  return readable(Buffer.concat(chunks).toString('utf8'));
}

/** Text that the database takes: no NUL, nothing that was no UTF-8. */
function readable(text: string): string {
  return text.replaceAll('\0', '').replaceAll(REPLACEMENT, '');
}
