import { type Dispatcher, request } from 'undici';
import { answerText } from '../answer-text.ts';
import { notedBody, type Wire as WrittenWire } from '../noted-body.ts';
import { TWILIO_ROOT } from './settings.ts';

/** How far one request came, and what its answer said beside its body, which the SDK's errors drop. */
export interface Wire extends WrittenWire {
  headers: Record<string, string | string[] | undefined>;
}

interface TransportOptions {
  dispatcher: Dispatcher;
  root: string;
  signal: AbortSignal;
  wire: Wire;
}

/** What the SDK asks its HTTP client for. */
export interface Asked {
  method: string;
  uri: string;
  username?: string;
  password?: string;
  headers?: Record<string, string>;
  params?: Record<string, unknown>;
  data?: unknown;
}

/** The HTTP client that we give to the SDK: through our dispatcher, to `root`, and it keeps what the SDK's errors drop. */
export function createTransport({ dispatcher, root, signal, wire }: TransportOptions) {
  return {
    async request({ method, uri, username = '', password = '', headers = {}, params, data }: Asked) {
      signal.throwIfAborted();
      const url = new URL(addressAt(root, uri));
      for (const [name, value] of pairsOf(params ?? {})) url.searchParams.append(name, value);
      const body = bodyOf(data, headers['Content-Type']);
      const response = await request(url, {
        method: method.toUpperCase() as Dispatcher.HttpMethod,
        headers: {
          ...headers,
          authorization: `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`,
          ...(body === null ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
        },
        body: body === null ? null : notedBody(body, wire),
        dispatcher,
        signal,
      });
      wire.headers = response.headers;
      const text = await answerText(response.body);
      return { statusCode: response.statusCode, body: text, headers: response.headers };
    },
  };
}

/** Twilio's products have a host each: in another region each keeps its name, on a stand-in all are one. */
function addressAt(root: string, uri: string): string {
  if (root === TWILIO_ROOT) return uri;
  const [, product, path] = /^https:\/\/([a-z]+)\.twilio\.com(\/.*)?$/.exec(uri) ?? [];
  if (product === undefined) throw new Error(`the SDK calls ${uri}, which is no address of Twilio`);
  const region = /^https:\/\/api(\..+\.twilio\.com)$/.exec(root)?.[1];
  return `${region === undefined ? root : `https://${product}${region}`}${path ?? ''}`;
}

function bodyOf(data: unknown, contentType: string | undefined): string | null {
  if (data === undefined) return null;
  if (contentType === 'application/json') return typeof data === 'string' ? data : JSON.stringify(data);
  return String(new URLSearchParams(pairsOf(data as Record<string, unknown>)));
}

/** A list is the same name several times; what is undefined is not there. */
function pairsOf(values: Record<string, unknown>): [string, string][] {
  return Object.entries(values).flatMap(([name, value]) =>
    [value]
      .flat()
      .filter((one) => one !== undefined && one !== null)
      .map((one): [string, string] => [name, one instanceof Date ? one.toISOString() : String(one)]),
  );
}
