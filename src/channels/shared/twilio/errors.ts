import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../../core/errors.ts';
import { type Action, actionFor, meaningOf, ourWords } from './error-codes.ts';

interface RefusalFacts {
  status: number;
  /** Twilio's own code, more exact than the status. */
  code: number | undefined;
  retryAfter: string | undefined;
}

/** Twilio answered and said no. */
export class TwilioRefusal extends Error {
  readonly status: number;
  readonly code: number | undefined;
  readonly retryAfter: string | undefined;

  constructor(said: string, { status, code, retryAfter }: RefusalFacts) {
    super(meaningOf(code, said));
    this.name = 'TwilioRefusal';
    this.status = status;
    this.code = code;
    this.retryAfter = retryAfter;
  }
}

interface UnreachableFacts {
  /** Whether Twilio may have read the request. */
  written: boolean;
  /** Whether the address is one that our requests may not go to. */
  isForbidden: boolean;
}

/** No answer came. */
export class TwilioUnreachable extends Error {
  readonly written: boolean;
  readonly isForbidden: boolean;

  constructor(why: string, { written, isForbidden }: UnreachableFacts) {
    super(`Twilio did not answer: ${why}`);
    this.name = 'TwilioUnreachable';
    this.written = written;
    this.isForbidden = isForbidden;
  }
}

/** What a failed call means for the message. */
export function sendError(error: unknown): Error {
  if (error instanceof TwilioRefusal) return refusalAsSendError(error);
  if (!(error instanceof TwilioUnreachable)) return error instanceof Error ? error : new Error(String(error));
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

function refusalAsSendError(refusal: TwilioRefusal): Error {
  const { message, status } = refusal;
  const options = {
    cause: refusal,
    providerCode: String(refusal.code ?? status),
    ...ourWords(refusal.code),
  };
  // A gateway that gave up waiting does not know whether Twilio went on.
  if (status === 504) return new OutcomeUnknown(message, { cause: refusal });
  switch (actionOf(refusal)) {
    case 'wait':
      // Where Twilio names no time, each wait is longer than the one before.
      return new RateLimited(message, waitMs(refusal), {
        ...options,
        growth: refusal.retryAfter === undefined ? 2 : 1,
      });
    case 'retry':
      return new SendDeferred(message, options);
    case 'account':
      return new SendRejected(message, { ...options, channelBroken: true });
    case 'stop':
      return new SendRejected(message, { ...options, optedOut: true });
    case 'later':
    case 'reject':
      return new SendRejected(message, options);
  }
}

function actionOf({ status, code }: TwilioRefusal): Action {
  if (status === 401) return 'account';
  if (status === 429) return 'wait';
  return actionFor(code) ?? (status >= 500 ? 'retry' : 'reject');
}

const DEFAULT_WAIT_SECONDS = 5;
// A limit that ends with the day is asked about every hour.
const LONG_WAITS: Record<number, number> = { 30023: 3_600, 63038: 3_600, 30022: 60 };
const MOST_WAIT_SECONDS = 24 * 3_600;

/** How long Twilio asks to wait: seconds, or a date. */
function waitMs({ code, retryAfter }: TwilioRefusal, now = Date.now()): number {
  const asked = retryAfter === undefined ? Number.NaN : secondsIn(retryAfter, now);
  const seconds = asked > 0 ? asked : ((code && LONG_WAITS[code]) ?? DEFAULT_WAIT_SECONDS);
  return Math.min(seconds, MOST_WAIT_SECONDS) * 1000;
}

function secondsIn(retryAfter: string, now: number): number {
  if (/^\d+(\.\d+)?$/.test(retryAfter)) return Number(retryAfter);
  return (Date.parse(retryAfter) - now) / 1000;
}

/** Whether Twilio refuses the account itself. */
export function refusesAccount(error: unknown): error is TwilioRefusal {
  return error instanceof TwilioRefusal && actionOf(error) === 'account';
}
