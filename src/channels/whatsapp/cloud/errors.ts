import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../../core/errors.ts';
import { type ErrorAction, knownError } from './error-codes.ts';

interface RefusalFacts {
  status: number;
  /** Meta's own code; undefined when the answer was none of the Graph API. */
  code: number | undefined;
  description: string;
  isTransient: boolean;
}

/** Meta answered and said no. */
export class GraphRefusal extends Error {
  readonly status: number;
  readonly code: number | undefined;
  readonly description: string;
  readonly isTransient: boolean;

  constructor({ status, code, description, isTransient }: RefusalFacts) {
    super(`Meta refused: ${code === undefined ? `HTTP ${status}` : `(#${code})`} ${description}`);
    this.name = 'GraphRefusal';
    this.status = status;
    this.code = code;
    this.description = description;
    this.isTransient = isTransient;
  }
}

interface UnreachableFacts {
  /** Whether Meta may have read the request. */
  written: boolean;
  /** Whether the address is one that our requests may not go to. */
  isForbidden: boolean;
}

/** No answer came. */
export class GraphUnreachable extends Error {
  readonly written: boolean;
  readonly isForbidden: boolean;

  constructor(why: string, { written, isForbidden }: UnreachableFacts) {
    super(`Meta did not answer: ${why}`);
    this.name = 'GraphUnreachable';
    this.written = written;
    this.isForbidden = isForbidden;
  }
}

interface Classified {
  action: ErrorAction;
  /** In plain words; undefined for a code that nobody has documented. */
  meaning: string | undefined;
  code: string | undefined;
  /** Whether somebody may try the same again by hand. */
  retryable: boolean;
}

interface Circumstances {
  status?: number;
  isTransient?: boolean;
}

/** What an error is to us: by its code, never by its words. An unknown code passes only where Meta says that it may. */
export function classify(code: number | undefined, circumstances: Circumstances = {}): Classified {
  const known = code === undefined ? undefined : knownError(code);
  const action = known?.action ?? unknownAction(circumstances);
  return { action, meaning: known?.meaning, code: known?.code, retryable: action !== 'reject' };
}

function unknownAction({ status = 400, isTransient = false }: Circumstances): ErrorAction {
  if (status === 429) return 'rate';
  if (status === 401) return 'account';
  return isTransient || status >= 500 ? 'outage' : 'reject';
}

/** What a failed send means for the message. */
export function sendError(error: unknown): Error {
  if (error instanceof GraphRefusal) return refusalAsSendError(error);
  if (!(error instanceof GraphUnreachable)) return error instanceof Error ? error : new Error(String(error));
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

// Meta names no time to wait: 1 s, then four times as long each time (1, 4, 16, 64 …).
const FIRST_WAIT_MS = 1_000;
const WAITS_GROW_BY = 4;

function refusalAsSendError(refusal: GraphRefusal): Error {
  const { status, code, isTransient } = refusal;
  // Whatever stands before Meta gave up waiting, and does not know whether Meta went on.
  if (code === undefined && (status === 502 || status === 504))
    return new OutcomeUnknown(refusal.message, { cause: refusal });
  const { action, meaning, code: ours, retryable } = classify(code, { status, isTransient });
  const message = meaning === undefined ? refusal.message : `${meaning} (${refusal.description})`;
  const options = { cause: refusal, providerCode: String(code ?? status) };
  switch (action) {
    case 'rate':
      return new RateLimited(message, FIRST_WAIT_MS, { ...options, growth: WAITS_GROW_BY });
    case 'outage':
      return new SendDeferred(message, options);
    case 'hold':
    case 'reject':
      return new SendRejected(message, {
        ...options,
        retryable,
        ...(ours === undefined ? {} : { code: ours }),
      });
    case 'account':
      return new SendRejected(message, { ...options, channelBroken: true });
  }
}
