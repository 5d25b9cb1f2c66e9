import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../core/errors.ts';
import { meaningOf } from './meanings.ts';

interface RefusalParameters {
  retry_after?: number;
  migrate_to_chat_id?: number;
}

/** Telegram answered and said no. */
export class TelegramRefusal extends Error {
  readonly code: number;
  readonly description: string;
  readonly parameters: RefusalParameters;

  constructor(method: string, answer: { code: number; description: string; parameters: RefusalParameters }) {
    super(`Telegram refused ${method}: ${answer.code} ${answer.description}`);
    this.name = 'TelegramRefusal';
    this.code = answer.code;
    this.description = answer.description;
    this.parameters = answer.parameters;
  }
}

interface UnreachableFacts {
  /** Whether Telegram may have read the request. */
  written: boolean;
  /** Whether the address is one that our requests may not go to. */
  isForbidden: boolean;
}

/** No answer came. */
export class TelegramUnreachable extends Error {
  readonly written: boolean;
  readonly isForbidden: boolean;

  constructor(method: string, why: string, { written, isForbidden }: UnreachableFacts) {
    super(`Telegram did not answer ${method}: ${why}`);
    this.name = 'TelegramUnreachable';
    this.written = written;
    this.isForbidden = isForbidden;
  }
}

/** What a failed send means for the message. */
export function sendError(error: unknown): Error {
  if (error instanceof TelegramRefusal) return refusalAsSendError(error);
  if (!(error instanceof TelegramUnreachable))
    return error instanceof Error ? error : new Error(String(error));
  const options = { cause: error };
  if (error.written) return new OutcomeUnknown(error.message, options);
  return error.isForbidden
    ? new SendRejected(error.message, options)
    : new SendDeferred(error.message, options);
}

/** For a call whose failure is told as that of a send. */
export function rethrow(error: unknown): never {
  throw sendError(error);
}

const DEFAULT_WAIT_SECONDS = 5;

function refusalAsSendError(refusal: TelegramRefusal): Error {
  const options = { cause: refusal, providerCode: String(refusal.code) };
  const { code, message, description } = refusal;
  if (code === 429) return new RateLimited(message, waitMs(refusal), options);
  // A gateway that gave up waiting does not know whether Telegram went on; every other 5xx is Telegram saying no.
  if (code === 504) return new OutcomeUnknown(message, options);
  if (code >= 500) return new SendDeferred(message, options);
  const channelBroken = refusesToken(refusal);
  const meaning = channelBroken ? 'Telegram does not accept the bot token.' : meaningOf(description);
  return new SendRejected(meaning === undefined ? message : `${meaning} (${code} ${description})`, {
    ...options,
    channelBroken,
  });
}

/** How long a 429 asks to wait. */
export function waitMs(refusal: TelegramRefusal): number {
  return (refusal.parameters.retry_after ?? DEFAULT_WAIT_SECONDS) * 1000;
}

/** Telegram answers 401 to a revoked token and 404 to one it never gave out; an old server of one's own lacks methods. */
export function refusesToken({ code, description }: TelegramRefusal): boolean {
  return code === 401 || (code === 404 && !/method not found/i.test(description));
}
