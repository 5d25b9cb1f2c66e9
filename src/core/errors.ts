import type { ZodError } from 'zod';

/** What went wrong, in the words of the API. `api/errors.ts` maps each code to its status. */
export type ErrorCode =
  | 'unauthorized'
  | 'invalid_api_key'
  | 'expired_api_key'
  | 'revoked_api_key'
  | 'forbidden'
  | 'not_found'
  | 'method_not_allowed'
  | 'conflict'
  | 'cursor_expired'
  | 'invalid_request'
  | 'validation_error'
  | 'no_recipient'
  | 'window_closed'
  | 'opted_out'
  | 'rate_limited'
  | 'payload_too_large'
  | 'unavailable'
  | 'internal';

export interface ErrorDetail {
  field: string;
  message: string;
}

interface AppErrorOptions extends ErrorOptions {
  details?: ErrorDetail[];
  /** Further public facts of the error, such as the `conversation_id` of a conflict. */
  extra?: Record<string, unknown>;
  retryAfterSeconds?: number;
}

/** An expected refusal. Its message and details are shown to the caller, so they never carry secrets. */
export class AppError extends Error {
  readonly code: ErrorCode;
  readonly details: ErrorDetail[];
  readonly extra: Record<string, unknown>;
  readonly retryAfterSeconds: number | undefined;

  constructor(code: ErrorCode, message: string, options: AppErrorOptions = {}) {
    super(message, options);
    this.name = 'AppError';
    this.code = code;
    this.details = options.details ?? [];
    this.extra = options.extra ?? {};
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** A 422 that names one field. */
export function invalidField(field: string, message: string): AppError {
  return new AppError('validation_error', `${field}: ${message}`, { details: [{ field, message }] });
}

/** The fields that a schema refused, each with its reason; where it read a part of the request, `within` says which. */
export function detailsOf(error: ZodError, within: string[] = []): ErrorDetail[] {
  return error.issues.flatMap((issue) => {
    const path = [...within, ...issue.path.map(String)];
    if (issue.code !== 'unrecognized_keys')
      return [{ field: path.join('.') || 'body', message: issue.message }];
    return issue.keys.map((key) => ({ field: [...path, key].join('.'), message: 'is not known here' }));
  });
}

interface SendErrorOptions extends ErrorOptions {
  providerCode?: string;
}

interface RejectionOptions extends SendErrorOptions {
  channelBroken?: boolean;
  optedOut?: boolean;
  code?: string;
  retryable?: boolean;
}

/** The provider refused this message and would refuse it again: a retry cannot help. */
export class SendRejected extends Error {
  readonly providerCode: string | undefined;
  /** The account itself is refused (a revoked token): every send of the channel would fail the same way. */
  readonly channelBroken: boolean;
  /** The customer told the provider to let nothing of ours through. */
  readonly optedOut: boolean;
  /** Our own word for the reason (`window_closed`), where there is one. */
  readonly code: string;
  /** Whether somebody may try the same again by hand, later or once something is mended. */
  readonly retryable: boolean;

  constructor(message: string, options: RejectionOptions = {}) {
    super(message, options);
    this.name = 'SendRejected';
    this.providerCode = options.providerCode;
    this.channelBroken = options.channelBroken ?? false;
    this.optedOut = options.optedOut ?? false;
    this.code = options.code ?? 'rejected';
    this.retryable = options.retryable ?? this.channelBroken;
  }
}

/** The provider asks to wait (429, Retry-After). Waiting costs the message none of its tries. */
export class RateLimited extends Error {
  readonly retryAfterMs: number;
  /** How many times as long each further wait in a row is: 1 where the provider names the time itself. */
  readonly growth: number;
  readonly providerCode: string | undefined;

  constructor(message: string, retryAfterMs: number, options: SendErrorOptions & { growth?: number } = {}) {
    super(message, options);
    this.name = 'RateLimited';
    this.retryAfterMs = retryAfterMs;
    this.growth = options.growth ?? 1;
    this.providerCode = options.providerCode;
  }
}

/** The provider surely did not take the message (refused connection, 5xx before acceptance): try again later. */
export class SendDeferred extends Error {
  readonly providerCode: string | undefined;

  constructor(message: string, options: SendErrorOptions = {}) {
    super(message, options);
    this.name = 'SendDeferred';
    this.providerCode = options.providerCode;
  }
}

/** The request was written but its answer was lost: nobody can know whether the provider took the message. */
export class OutcomeUnknown extends Error {
  constructor(message: string, options: ErrorOptions = {}) {
    super(message, options);
    this.name = 'OutcomeUnknown';
  }
}
