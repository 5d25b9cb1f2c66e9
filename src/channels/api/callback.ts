import type { Dispatcher } from 'undici';
import type { Channel } from '../../core/adapter.ts';
import type { EgressGuard } from '../../core/egress.ts';
import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../core/errors.ts';
import { answerText } from '../shared/answer-text.ts';
import type { ApiSettings } from './settings.ts';
import { signatureHeaders } from './signature.ts';

export interface Callback {
  /** The same on every try: by it the receiver knows a repetition. */
  id: string;
  type: 'message' | 'edit' | 'delete' | 'reaction' | 'typing' | 'read' | 'ping';
  data: Record<string, unknown>;
}

const TIMEOUT_MS = 15_000;
const EXCERPT_LENGTH = 200;
// Whatever a page of an error says: more is no answer to us, and is left where it is.
const MOST_ANSWER_BYTES = 256 * 1024;

/** Delivers one thing to the business's program, signed; throws what became of it when it was not taken. */
export async function post(
  egress: EgressGuard,
  { id, type, data }: Callback,
  { channel, signal }: { channel: Channel<ApiSettings>; signal: AbortSignal },
): Promise<void> {
  const { settings, businessId } = channel;
  const now = new Date();
  const content = { id, type, timestamp: now.toISOString(), business_id: businessId, channel_id: channel.id };
  const body = JSON.stringify({ ...content, data });
  const signed = { id, timestamp: Math.floor(now.getTime() / 1000), body };
  const headers = { 'content-type': 'application/json', ...signatureHeaders(signed, settings) };
  const url = egress.vetUrl(settings.callback_url, 'callback_url');
  const answer = await ask(egress, { url, headers, body }, signal);
  const excerpt = (await answerText(answer.body, MOST_ANSWER_BYTES).catch(() => '')).slice(0, EXCERPT_LENGTH);
  if (answer.statusCode < 200 || answer.statusCode > 299) throw refusal(answer, excerpt);
}

interface Request {
  url: URL;
  headers: Record<string, string>;
  body: string;
}

async function ask(egress: EgressGuard, { url, ...request }: Request, signal: AbortSignal) {
  try {
    return await egress.dispatcher.request({
      ...request,
      method: 'POST',
      origin: url.origin,
      path: url.pathname + url.search,
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
      headersTimeout: TIMEOUT_MS,
      bodyTimeout: TIMEOUT_MS,
    });
  } catch (error) {
    throw failure(error);
  }
}

// Before these nothing was written.
const UNSENT =
  /^(ENOTFOUND|EAI_|ECONNREFUSED|EHOST|ENET|ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT|EGRESS_BLOCKED|ERR_TLS|CERT_|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/;

function failure(error: unknown): Error {
  const first = error instanceof AggregateError ? error.errors[0] : error;
  const code = first instanceof Error && 'code' in first ? String(first.code) : '';
  const why = first instanceof Error ? first.message || code : 'the request failed';
  if (code === 'EGRESS_BLOCKED') return new SendRejected(`The callback address may not be reached: ${why}`);
  if (UNSENT.test(code)) return new SendDeferred(`The callback address does not answer: ${why}`);
  return new OutcomeUnknown(`The answer of the callback address was lost: ${why}`);
}

// What no repetition changes: the message itself is what they cannot take.
const FINAL = new Set([400, 413, 415, 422]);
const GONE = 410;
const TOO_MANY = 429;
const MAX_WAIT_SECONDS = 3_600;

function refusal({ statusCode, headers }: Dispatcher.ResponseData, excerpt: string): Error {
  const message = `The callback address answered ${statusCode}${excerpt === '' ? '' : `: ${excerpt}`}`;
  const options = { providerCode: String(statusCode) };
  if (statusCode === TOO_MANY) {
    const seconds = Number(headers['retry-after'] ?? 5) || 5;
    return new RateLimited(message, Math.min(Math.max(seconds, 1), MAX_WAIT_SECONDS) * 1000, options);
  }
  if (statusCode === GONE) return new SendRejected(message, { ...options, channelBroken: true });
  return FINAL.has(statusCode) ? new SendRejected(message, options) : new SendDeferred(message, options);
}
