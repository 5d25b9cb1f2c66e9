import type { Twilio } from 'twilio';
import type { EgressGuard } from '../../../core/egress.ts';
import { SendRejected } from '../../../core/errors.ts';
import { TwilioRefusal, TwilioUnreachable } from './errors.ts';
import type { TwilioSettings } from './settings.ts';
import { createTransport, type Wire } from './transport.ts';

const CALL_TIMEOUT_MS = 15_000;

/** Calls Twilio by its SDK. Throws TwilioRefusal or TwilioUnreachable, neither of which knows a secret. */
export type Call = <T>(
  settings: TwilioSettings,
  work: (twilio: Twilio) => Promise<T>,
  options?: { signal?: AbortSignal; timeoutMs?: number },
) => Promise<T>;

interface Credentials {
  username: string;
  password: string;
}

/** Our way to Twilio: the SDK for the protocol, the guard for the connection. */
export function createCall(egress: EgressGuard): Call {
  return async function call(settings, work, { signal, timeoutMs = CALL_TIMEOUT_MS } = {}) {
    const [first, second] = credentialsOf(settings);
    const tryWith = (credentials: Credentials) =>
      attempt(egress, { settings, credentials, signal, timeoutMs }, work);
    try {
      return await tryWith(first);
    } catch (error) {
      // The first token is void as soon as the second one was made the account's own.
      if (second === undefined || !(error instanceof TwilioRefusal) || error.status !== 401) throw error;
      return tryWith(second);
    }
  };
}

function credentialsOf(settings: TwilioSettings): [Credentials, Credentials?] {
  const { account_sid: username, auth_token, secondary_auth_token, api_key_sid, api_key_secret } = settings;
  if (api_key_sid !== undefined && api_key_secret !== undefined)
    return [{ username: api_key_sid, password: api_key_secret }];
  const first = { username, password: auth_token };
  return secondary_auth_token === undefined ? [first] : [first, { username, password: secondary_auth_token }];
}

interface Attempt {
  settings: TwilioSettings;
  credentials: Credentials;
  signal: AbortSignal | undefined;
  timeoutMs: number;
}

/** A client for this one call, since the SDK's errors forget the answer's headers: our transport keeps them here. */
async function attempt<T>(
  { dispatcher }: EgressGuard,
  { settings, credentials, signal, timeoutMs }: Attempt,
  work: (twilio: Twilio) => Promise<T>,
): Promise<T> {
  const deadline = AbortSignal.timeout(timeoutMs);
  const wire: Wire = { written: false, headers: {} };
  const httpClient = createTransport({
    dispatcher,
    root: settings.api_root,
    signal: signal ? AbortSignal.any([signal, deadline]) : deadline,
    wire,
  });
  const { Twilio: Client } = (await sdk()).default;
  const { username, password } = credentials;
  const options = { accountSid: settings.account_sid, httpClient: httpClient as never };
  try {
    return await work(new Client(username, password, { ...options, env: {}, edge: '', region: '' }));
  } catch (error) {
    throw translated(error, wire, secretsOf(settings));
  }
}

// The SDK takes thirty megabytes: who has no channel at Twilio does not pay for it.
const sdk = () => import('twilio');

function secretsOf(settings: TwilioSettings): string[] {
  const { auth_token, secondary_auth_token, api_key_secret } = settings;
  return [auth_token, secondary_auth_token, api_key_secret].filter((secret) => secret !== undefined);
}

/** What the SDK throws for an answer that is a refusal. */
interface Refused {
  status: number;
  code?: unknown;
  message?: string;
}

function translated(error: unknown, wire: Wire, secrets: string[]): Error {
  // What the work itself made of an answer.
  if (error instanceof SendRejected) return error;
  const text = reasonOf(error);
  const told = secrets.reduce((cleaned, secret) => cleaned.replaceAll(secret, '[token]'), text);
  if (isRefused(error)) {
    const code = Number(error.code);
    const retryAfter = wire.headers['retry-after'];
    return new TwilioRefusal(told, {
      status: error.status,
      code: Number.isInteger(code) && code > 0 ? code : undefined,
      retryAfter: Array.isArray(retryAfter) ? retryAfter[0] : retryAfter,
    });
  }
  return new TwilioUnreachable(told, {
    written: wire.written,
    isForbidden: codeOf(error) === 'EGRESS_BLOCKED',
  });
}

function isRefused(error: unknown): error is Refused {
  return error instanceof Error && 'status' in error && typeof error.status === 'number';
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message || (codeOf(error) ?? error.name) : 'the request failed';
}

function codeOf(error: unknown): string | undefined {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : undefined;
}
