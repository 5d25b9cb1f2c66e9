import type { Context, ErrorHandler } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ContentfulStatusCode } from 'hono/utils/http-status';
import { AppError, type ErrorCode } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { viewSupportError } from '../core/views/support-error.ts';
import type { ApiEnv } from './deps.ts';

/** The one place that knows which status an error code answers with. */
export const STATUS_OF_CODE: Record<ErrorCode, ContentfulStatusCode> = {
  invalid_request: 400,
  unauthorized: 401,
  invalid_api_key: 401,
  expired_api_key: 401,
  revoked_api_key: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  cursor_expired: 410,
  payload_too_large: 413,
  validation_error: 422,
  no_recipient: 422,
  window_closed: 422,
  opted_out: 422,
  rate_limited: 429,
  internal: 500,
  unavailable: 503,
};

/** Answers every error in the envelope; what nobody expected is logged and shown without detail. */
export function errorHandler(log: Log): ErrorHandler<ApiEnv> {
  return (error, c) => {
    const known = toAppError(error);
    if (known.code === 'internal') {
      log.error(
        { err: error, request_id: c.get('requestId'), method: c.req.method, path: c.req.path },
        'request failed',
      );
    }
    return answerError(c, known);
  };
}

/** One error as the response of this request. */
export function answerError(c: Context<ApiEnv>, error: AppError): Response {
  if (error.retryAfterSeconds !== undefined)
    c.header('Retry-After', String(Math.ceil(error.retryAfterSeconds)));
  const { code, message, details, extra } = error;
  if (STATUS_OF_CODE[code] === 401) c.header('WWW-Authenticate', 'Bearer');
  const requestId = c.get('requestId');
  if (SUPPORT.test(c.req.path)) return c.json(viewSupportError(error, requestId), STATUS_OF_CODE[code]);
  return c.json({ error: { ...extra, code, message, details, request_id: requestId } }, STATUS_OF_CODE[code]);
}

/** What an address says to a method that it does not take: the ones that it does. */
export function answerOtherMethods(c: Context<ApiEnv>, methods: string[]): Response {
  const allowed = methods.join(', ');
  c.header('Allow', allowed);
  return answerError(c, new AppError('method_not_allowed', `This address takes ${allowed}.`));
}

/** Where the support dialect is spoken. */
const SUPPORT = /^\/api\/support(\/|$)/;

/** What a caller may know of an error, whoever threw it. */
function toAppError(error: Error): AppError {
  if (error instanceof AppError) return error;
  if (error instanceof HTTPException) return fromHttpException(error);
  return (
    fromDatabase(error) ?? new AppError('internal', 'Something went wrong on our side.', { cause: error })
  );
}

function fromHttpException(error: HTTPException): AppError {
  if (error.status === 413)
    return new AppError('payload_too_large', 'The body is larger than this route accepts.');
  if (error.status === 415) {
    const message =
      'This route does not take that Content-Type; send application/json, or multipart/form-data to an upload.';
    return new AppError('invalid_request', message);
  }
  if (error.status < 500) return new AppError('invalid_request', error.message, { cause: error });
  return new AppError('internal', 'Something went wrong on our side.', { cause: error });
}

const UNREACHABLE = /^(08|53|57P|CONNECT|ECONN|EPIPE|ETIMEDOUT|ENOTFOUND)/;
const UNSTORABLE_TEXT = /^(22021|22P05)$/;

function fromDatabase(error: Error): AppError | undefined {
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (UNREACHABLE.test(code)) {
    return new AppError('unavailable', 'The database cannot be reached; try again.', {
      cause: error,
      retryAfterSeconds: 1,
    });
  }
  if (UNSTORABLE_TEXT.test(code)) {
    return new AppError('validation_error', 'A text holds a character that cannot be stored.', {
      cause: error,
    });
  }
  return undefined;
}
