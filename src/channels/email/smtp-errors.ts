import { EgressBlocked } from '../../core/egress.ts';
import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../core/errors.ts';

/** What the mail library throws; of RCPT and DATA alike, so that only the server's own number tells. */
export interface Refusal extends Error {
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
  const refusal = error as Refusal;
  const status = refusal.responseCode;
  const options = { ...codeOf(refusal), cause: withoutSecrets(refusal) };
  if (refusal.code === 'EAUTH') return authError(refusal, options);
  if (status !== undefined && status >= 500) return new SendRejected(wordsOf(refusal), options);
  if (status !== undefined && TOO_FAST.test(wordsOf(refusal))) {
    return new RateLimited(wordsOf(refusal), RATE_WAIT_MS, { ...options, growth: 2 });
  }
  if (status !== undefined) return new SendDeferred(wordsOf(refusal), options);
  if (FINAL.has(refusal.code ?? '')) return new SendRejected(wordsOf(refusal), options);
  // The same mail goes again: what both servers have taken, mailboxes show once.
  if (refusal.command !== undefined) return new OutcomeUnknown(wordsOf(refusal), options);
  return new SendDeferred(`The mail server could not be reached: ${wordsOf(refusal)}`, options);
}

const TOO_FAST = /\b(rate|too (many|fast)|throttl|4\.7\.28)/i;
const RATE_WAIT_MS = 60_000;

/** Our own fault, or announced by the server before anything was sent: it would fail again. */
const FINAL = new Set(['EENVELOPE', 'EMESSAGE', 'EREQUIRETLS', 'ESTREAM']);

interface ErrorFacts {
  providerCode?: string;
  cause: unknown;
}

function authError(refusal: Refusal, options: ErrorFacts): Error {
  const isPassing = refusal.responseCode !== undefined && refusal.responseCode < 500;
  if (isPassing) return new SendDeferred(wordsOf(refusal), options);
  return new SendRejected(`The mail server does not let us in: ${wordsOf(refusal)}`, {
    ...options,
    channelBroken: true,
  });
}

const ENHANCED = /^\d{3}[ -](\d\.\d{1,3}\.\d{1,3})\b/;

/** `550 5.1.1`: the number, and the finer one where the server gives it. */
function codeOf({ responseCode, response = '' }: Refusal): { providerCode?: string } {
  if (responseCode === undefined) return {};
  const enhanced = ENHANCED.exec(response)?.[1];
  return { providerCode: enhanced === undefined ? String(responseCode) : `${responseCode} ${enhanced}` };
}

function wordsOf({ response, message }: Refusal): string {
  return (response ?? message).replace(/\s+/g, ' ').slice(0, 500);
}

/** The library's errors may hold what was said at signing in. */
function withoutSecrets({ code, responseCode, command }: Refusal): unknown {
  return { code, responseCode, command: command?.split(' ')[0] };
}

/** Whom the server refused while it took the mail for others. */
export function refusedRecipients(info: { rejectedErrors?: unknown }): {
  address: string;
  code?: string;
  message: string;
}[] {
  const errors = (info.rejectedErrors ?? []) as Refusal[];
  return errors.map((error) => {
    const { providerCode } = codeOf(error);
    return {
      address: error.recipient ?? '',
      ...(providerCode === undefined ? {} : { code: providerCode }),
      message: wordsOf(error),
    };
  });
}
