import type { RawApi } from 'grammy';
import type { EgressGuard } from '../../core/egress.ts';
import { TelegramRefusal, TelegramUnreachable } from './errors.ts';
import type { TelegramSettings } from './settings.ts';
import { createTransport } from './transport.ts';

const CALL_TIMEOUT_MS = 15_000;

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
}

/** Calls one method of the Bot API. Throws TelegramRefusal or TelegramUnreachable, neither of which knows the token. */
export type Call = <T>(
  settings: TelegramSettings,
  method: (api: RawApi) => Promise<T>,
  options?: CallOptions,
) => Promise<T>;

/** Our way to Telegram: grammY for the protocol, the guard for the connection. */
export function createCall(egress: EgressGuard): Call {
  return async function call(settings, method, { signal, timeoutMs = CALL_TIMEOUT_MS } = {}) {
    const { Api } = await import('grammy');
    const deadline = AbortSignal.timeout(timeoutMs);
    const wire = { written: false };
    const api = new Api(settings.bot_token, {
      apiRoot: settings.api_root,
      // Ours ends the call first, so that an abort is told from a lost answer.
      timeoutSeconds: timeoutMs / 1000 + 5,
      fetch: createTransport({
        dispatcher: egress.dispatcher,
        signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
        wire,
      }) as unknown as typeof fetch,
    });
    try {
      return await method(api.raw);
    } catch (error) {
      throw await translated(error, settings.bot_token, wire.written);
    }
  };
}

/** grammY's errors carry the payload, and network errors may carry the URL: neither may reach a log. */
async function translated(error: unknown, token: string, written: boolean): Promise<Error> {
  const { GrammyError, HttpError } = await import('grammy');
  if (error instanceof GrammyError) {
    const { method, error_code: code, parameters } = error;
    return new TelegramRefusal(method, {
      code,
      description: withoutToken(error.description, token),
      parameters,
    });
  }
  const cause = error instanceof HttpError ? error.error : error;
  const method = error instanceof HttpError ? (/'(\w+)'/.exec(error.message)?.[1] ?? 'a call') : 'a call';
  const isForbidden = codeOf(cause) === 'EGRESS_BLOCKED';
  return new TelegramUnreachable(method, withoutToken(reasonOf(cause), token), { written, isForbidden });
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message || (codeOf(cause) ?? cause.name) : 'the request failed';
}

function codeOf(cause: unknown): string | undefined {
  const code = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  return typeof code === 'string' ? code : undefined;
}

/** The text with the bot's token blotted out. */
export function withoutToken(text: string, token: string): string {
  const secret = token.slice(token.indexOf(':') + 1);
  return text.replaceAll(token, '[token]').replaceAll(secret, '[token]');
}
