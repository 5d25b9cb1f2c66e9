import { EgressBlocked } from '../../core/egress.ts';
import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../core/errors.ts';

/** What the mail library throws; of RCPT and DATA alike, so that only the server's own number tells. */
export interface SmtpError extends Error {
  code?: string;
  responseCode?: number;
  response?: string;
  command?: string;
  recipient?: string;
}

/** What a failed send means for the message: 5xx is final, and everything else is tried again. */
export function sendError(error: unknown): Error {
  if (error instanceof SendRejected || error instanceof SendDeferred) return error;
  if (error instanceof EgressBlocked) return new SendRejected(error.message, { cause: error });
  const failure = error as SmtpError;
  const words = wordsOf(failure);
  const options = { ...codeOf(failure), cause: withoutSecrets(failure) };
  if (failure.code === 'EAUTH') return authError(failure, options);
  if (failure.responseCode !== undefined) return refusedError(failure, options);
  if (FINAL.has(failure.code ?? '')) return new SendRejected(words, options);
  // The same mail goes again: what both servers have taken, mailboxes show once.
  if (failure.command !== undefined) return new OutcomeUnknown(words, options);
  return new SendDeferred(`The mail server could not be reached: ${words}`, options);
}

function refusedError(failure: SmtpError, options: ErrorFacts): Error {
  const words = wordsOf(failure);
  if (!isPassing(failure)) return new SendRejected(words, options);
  return TOO_FAST.test(words)
    ? new RateLimited(words, RATE_WAIT_MS, { ...options, growth: 2 })
    : new SendDeferred(words, options);
}

function isPassing({ responseCode }: SmtpError): boolean {
  return responseCode !== undefined && responseCode < 500;
}

const TOO_FAST = /\b(rate|too (many|fast)|throttl|4\.7\.28)/i;
const RATE_WAIT_MS = 60_000;

/** Our own fault, or announced by the server before anything was sent: it would fail again. */
const FINAL = new Set(['EENVELOPE', 'EMESSAGE', 'EREQUIRETLS', 'ESTREAM']);

interface ErrorFacts {
  providerCode?: string;
  cause: unknown;
}

function authError(failure: SmtpError, options: ErrorFacts): Error {
  if (isPassing(failure)) return new SendDeferred(wordsOf(failure), options);
  return new SendRejected(`The mail server does not let us in: ${wordsOf(failure)}`, {
    ...options,
    channelBroken: true,
  });
}

const ENHANCED = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/;

/** `550 5.1.1`: the number, and the finer one where the server gives it. */
function codeOf({ responseCode, response = '' }: SmtpError): { providerCode?: string } {
  if (responseCode === undefined) return {};
  const enhanced = ENHANCED.exec(response)?.[1];
  return { providerCode: enhanced === undefined ? String(responseCode) : `${responseCode} ${enhanced}` };
}

function wordsOf({ response, message }: SmtpError): string {
  return (response ?? message).replace(/\s+/g, ' ').slice(0, 500);
}

/** The library's errors may hold what was said at signing in. */
function withoutSecrets({ code, responseCode, command }: SmtpError): unknown {
  return { code, responseCode, command: command?.split(' ')[0] };
}

/** Whom the server refused while it took the mail for others. */
export function refusedRecipients(info: { rejectedErrors?: unknown }): {
  address: string;
  code?: string;
  message: string;
}[] {
  const errors = (info.rejectedErrors ?? []) as SmtpError[];
  return errors.map((error) => {
    const { providerCode } = codeOf(error);
    return {
      address: error.recipient ?? '',
      ...(providerCode === undefined ? {} : { code: providerCode }),
      message: wordsOf(error),
    };
  });
}
