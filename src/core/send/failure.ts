import type { LoadedChannel } from '../channels.ts';
import { noteConsent } from '../customers/consent.ts';
import type { Sql } from '../database/connect.ts';
import { OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../errors.ts';
import { NO_ID } from '../id.ts';
import { holds, type Lease } from '../lanes.ts';
import { recordStatus } from '../messages/receipts.ts';
import type { MessageError, MessageRow } from '../views/message.ts';
import { type Attempt, finishAttempt } from './attempt.ts';
import type { SendOptions } from './options.ts';
import { isKept, type PartRow, type SendingMessage } from './parts.ts';

/** Waits between the tries of a send that may pass; after the last it has failed. */
const RETRY_AFTER_MS = [2_000, 10_000, 60_000, 300_000, 900_000];

interface Failure {
  message: SendingMessage;
  row: PartRow;
  attempt: Attempt;
  error: unknown;
  loaded: LoadedChannel;
  lease: Lease;
}

/** Decides from what the adapter threw whether the message waits, failed, or stands as unknown. */
export async function settleFailure(options: SendOptions, failure: Failure): Promise<void> {
  const { message, error, loaded } = failure;
  if (error instanceof RateLimited) {
    await waitUntil(options, failure, {
      outcome: 'rate_limited',
      at: Date.now() + (await waitOf(options, failure, error)),
      tries: message.tries,
    });
  } else if (error instanceof SendRejected) {
    await rejected(options, failure, error);
  } else if (error instanceof SendDeferred || loaded.adapter.sendIsIdempotent) {
    await deferred(options, failure, error);
  } else {
    await lost(options, failure, error);
  }
}

const LONGEST_WAIT_MS = 3_600_000;

/** What the provider asks for, or where it names no time, longer with each time in a row. */
async function waitOf(
  { pool }: SendOptions,
  { message, attempt }: Failure,
  { retryAfterMs, growth }: RateLimited,
): Promise<number> {
  if (growth === 1) return retryAfterMs;
  const [row] = await pool<[{ waits: number }]>`
    with earlier as (
      select id, outcome from attempts
      where subject_id = ${message.id} and kind = 'send' and id < ${attempt.id}
        and started_at >= ${message.created_at}::timestamptz - interval '1 minute'
    )
    select count(*)::int as waits from earlier
    where outcome = 'rate_limited'
      and id > coalesce((select max(id::text)::uuid from earlier where outcome <> 'rate_limited'), ${NO_ID}::uuid)`;
  return Math.min(retryAfterMs * growth ** row.waits, LONGEST_WAIT_MS);
}

async function rejected(options: SendOptions, failure: Failure, error: SendRejected): Promise<void> {
  const { message, attempt, loaded } = failure;
  await fail(options, failure, {
    outcome: 'rejected',
    error: {
      code: error.code,
      provider_code: error.providerCode ?? null,
      message: error.message,
      retryable: error.retryable,
    },
  });
  if (error.channelBroken) await options.channels.markBroken(loaded.row.id, error.message);
  if (error.optedOut) await noteOptOut(options, message);
  options.log.info(
    { message: message.id, attempt: attempt.id, code: error.providerCode },
    'the provider refused a message',
  );
}

/** The customer told the provider and not us: what it refuses now it would refuse again. */
async function noteOptOut({ transact }: SendOptions, message: SendingMessage): Promise<void> {
  const { business_id: businessId, channel_id: channelId, thread_key: address } = message;
  if (address === null) return;
  const statement = { businessId, channelId, address, consent: 'stop', source: 'provider' } as const;
  await transact(async (tx) => {
    if (await isKept(tx, message)) await noteConsent(tx, { ...statement, saidAt: new Date() });
  });
}

async function deferred(options: SendOptions, failure: Failure, error: unknown): Promise<void> {
  const waits = failure.loaded.adapter.retryAfterMs ?? RETRY_AFTER_MS;
  const waitMs = waits[failure.message.tries];
  if (waitMs !== undefined) {
    await waitUntil(options, failure, {
      outcome: 'deferred',
      at: Date.now() + waitMs,
      tries: failure.message.tries + 1,
    });
    return;
  }
  const text = error instanceof Error ? error.message : 'The provider could not be reached.';
  await fail(options, failure, {
    outcome: 'deferred',
    error: { code: 'unreachable', provider_code: codeOf(error) ?? null, message: text, retryable: true },
  });
}

async function lost(options: SendOptions, failure: Failure, error: unknown): Promise<void> {
  if (!(error instanceof OutcomeUnknown))
    options.log.error({ err: error, message: failure.message.id }, 'a send broke');
  const reason = error instanceof OutcomeUnknown ? error.message : 'The answer of the provider was lost.';
  await fail(options, failure, { outcome: 'unknown', error: unknownOutcome(reason) });
}

/** The error of a message whose outcome nobody can know. */
export function unknownOutcome(reason: string): MessageError {
  return { code: 'outcome_unknown', provider_code: null, message: reason, retryable: true };
}

interface Waiting {
  outcome: string;
  at: number;
  tries: number;
}

async function waitUntil(
  { transact }: SendOptions,
  failure: Failure,
  { outcome, at, tries }: Waiting,
): Promise<void> {
  const { message, row, attempt, error, lease } = failure;
  await transact(async (tx) => {
    await finishAttempt(tx, attempt, { outcome, providerCode: codeOf(error), message: textOf(error) });
    if (!(await holds(tx, lease))) return;
    await setPart(tx, { message, row, status: 'queued' });
    await tx`
      update messages set next_attempt_at = ${new Date(at)}, tries = ${tries}
      where id = ${message.id} and generation = ${message.generation} and status = 'sending'`;
  });
}

async function fail(
  { transact }: SendOptions,
  { message, row, attempt, error: thrown, lease }: Failure,
  { outcome, error }: { outcome: string; error: MessageError },
): Promise<void> {
  await transact(async (tx) => {
    await finishAttempt(tx, attempt, { outcome, providerCode: codeOf(thrown), message: textOf(thrown) });
    if (!(await holds(tx, lease))) return;
    // A part whose outcome is unknown stays as it is: a late receipt may still say that it arrived.
    if (outcome !== 'unknown') await setPart(tx, { message, row, status: 'failed' });
    await setFailed(tx, message, error);
  });
}

interface Doomed {
  message: SendingMessage;
  lease: Lease;
}

/** Fails a message without a call to the provider. */
export async function failMessage(
  { transact }: SendOptions,
  { message, lease }: Doomed,
  error: Pick<MessageError, 'code' | 'message'> & Partial<MessageError>,
): Promise<void> {
  await transact(async (tx) => {
    if (await holds(tx, lease))
      await setFailed(tx, message, { provider_code: null, retryable: true, ...error });
  });
}

async function setFailed(tx: Sql, message: SendingMessage, error: MessageError): Promise<void> {
  const [failed] = await tx<MessageRow[]>`
    update messages set status = 'failed', error = ${tx.json(error)}, next_attempt_at = null
    where id = ${message.id} and generation = ${message.generation} and status in ('queued', 'sending')
    returning *`;
  if (failed !== undefined) await recordStatus(tx, failed);
}

async function setPart(
  tx: Sql,
  { message, row, status }: { message: SendingMessage; row: PartRow; status: string },
): Promise<void> {
  await tx`
    update message_parts set status = ${status}
    where message_id = ${message.id} and generation = ${message.generation} and n = ${row.n}`;
}

function codeOf(error: unknown): string | undefined {
  if (error instanceof RateLimited || error instanceof SendRejected || error instanceof SendDeferred)
    return error.providerCode;
  return undefined;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown';
}
