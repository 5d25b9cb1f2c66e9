import { z } from 'zod';
import type { EgressGuard } from '../../../core/egress.ts';
import { answerText } from '../../shared/answer-text.ts';
import { notedBody } from '../../shared/noted-body.ts';
import { GraphRefusal, GraphUnreachable } from './errors.ts';
import type { CloudSettings } from './settings.ts';

const CALL_TIMEOUT_MS = 15_000;

export interface GraphCall {
  method?: 'GET' | 'POST' | 'DELETE';
  /** Below the version, as `123/messages`. */
  path: string;
  query?: Record<string, string>;
  json?: unknown;
  form?: FormData;
  signal?: AbortSignal | undefined;
  timeoutMs?: number;
}

/** Calls Meta's Graph API. Throws GraphRefusal or GraphUnreachable, neither of which knows the token. */
export type Graph = (settings: CloudSettings, call: GraphCall) => Promise<unknown>;

/** Our way to Meta, through the guard. */
export function createGraph(egress: EgressGuard): Graph {
  return async (
    settings,
    { method = 'GET', path, query = {}, signal, timeoutMs = CALL_TIMEOUT_MS, ...call },
  ) => {
    const wire = { written: false };
    const { origin, pathname } = new URL(`${settings.api_root}/${settings.api_version}/${path}`);
    const deadline = AbortSignal.timeout(timeoutMs);
    const content = await contentOf(call);
    try {
      const response = await egress.dispatcher.request({
        origin,
        path: `${pathname}${searchOf(query)}`,
        method,
        headers: { authorization: `Bearer ${settings.access_token}`, ...content.headers },
        body: content.bytes && notedBody(content.bytes, wire),
        signal: signal === undefined ? deadline : AbortSignal.any([signal, deadline]),
      });
      return answerOf(response.statusCode, await answerText(response.body));
    } catch (error) {
      throw error instanceof GraphRefusal ? error : unreachable(error, wire.written);
    }
  };
}

async function contentOf({ json, form }: Pick<GraphCall, 'json' | 'form'>) {
  if (form !== undefined) {
    const encoded = new Response(form);
    const type = encoded.headers.get('content-type') ?? '';
    return described(Buffer.from(await encoded.arrayBuffer()), type);
  }
  if (json === undefined) return { bytes: null, headers: {} };
  return described(Buffer.from(JSON.stringify(json)), 'application/json');
}

function described(bytes: Buffer, type: string) {
  return { bytes, headers: { 'content-type': type, 'content-length': String(bytes.byteLength) } };
}

function searchOf(query: Record<string, string>): string {
  const search = new URLSearchParams(query).toString();
  return search === '' ? '' : `?${search}`;
}

const refusal = z.object({
  error: z.object({
    message: z.string().catch('no reason given'),
    code: z.number(),
    is_transient: z.boolean().optional().catch(undefined),
    error_data: z.object({ details: z.string() }).optional().catch(undefined),
  }),
});

function answerOf(status: number, text: string): unknown {
  const answer = parsed(text);
  const refused = refusal.safeParse(answer).data?.error;
  if (refused !== undefined) {
    throw new GraphRefusal({
      status,
      code: refused.code,
      description: refused.error_data?.details ?? refused.message,
      isTransient: refused.is_transient ?? false,
    });
  }
  if (status >= 200 && status < 300 && answer !== undefined) return answer;
  // A success that cannot be read may have been one: its message counts as lost.
  if (status >= 200 && status < 300) throw new Error('the answer is none of the Graph API');
  throw new GraphRefusal({ status, code: undefined, description: 'in words of its own', isTransient: false });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function unreachable(error: unknown, written: boolean): GraphUnreachable {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  const reason = error instanceof Error ? error.message || code || error.name : 'the request failed';
  return new GraphUnreachable(reason, { written, isForbidden: code === 'EGRESS_BLOCKED' });
}
