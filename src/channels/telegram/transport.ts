import type { Readable } from 'node:stream';
import { type Dispatcher, request } from 'undici';
import { answerText } from '../shared/answer-text.ts';
import { notedBody, type Wire } from '../shared/noted-body.ts';

interface Outgoing {
  method: string;
  headers: Record<string, string>;
  body?: string | Readable;
}

interface TransportOptions {
  dispatcher: Dispatcher;
  signal: AbortSignal;
  wire: Wire;
}

/** The `fetch` that we give to grammY: through our dispatcher, and it notes when the first byte is asked for. */
export function createTransport({ dispatcher, signal, wire }: TransportOptions) {
  return async function post(url: string, { method, headers, body }: Outgoing) {
    signal.throwIfAborted();
    const response = await request(url, {
      method: method as Dispatcher.HttpMethod,
      headers: { 'content-type': headers['content-type'] ?? 'application/json', ...lengthOf(body) },
      body: body === undefined ? null : notedBody(body, wire),
      dispatcher,
      signal,
    });
    return { json: async () => asAnswer(response.statusCode, await answerText(response.body)) };
  };
}

function lengthOf(body: string | Readable | undefined): Record<string, string> {
  return typeof body === 'string' ? { 'content-length': String(Buffer.byteLength(body)) } : {};
}

/** A proxy before Telegram answers in words of its own when it fails: its status still tells us what happened. */
function asAnswer(status: number, text: string): unknown {
  const answer = parsed(text);
  if (isAnswer(answer)) return answer;
  if (status >= 200 && status < 300) throw new Error('the answer is none of the Bot API');
  return { ok: false, error_code: status, description: `HTTP ${status}` };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isAnswer(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('ok' in value)) return false;
  return value.ok === true || ('error_code' in value && typeof value.error_code === 'number');
}
