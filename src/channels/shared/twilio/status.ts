import type { ConsentChange, Receipt } from '../../../core/envelope.ts';
import type { Params } from './body.ts';
import type { SentFrom } from './callback.ts';
import { actionFor, meaningOf, ourWords } from './error-codes.ts';

/** The statuses of our messages that say more than the answer to the send did. */
const STATUSES: Record<string, Receipt['status']> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  undelivered: 'failed',
  failed: 'failed',
  canceled: 'failed',
};

/** What Twilio calls the state of a message; a customer's own is always `received`. */
function statusIn(params: Params): string | undefined {
  return (params.get('MessageStatus') ?? params.get('SmsStatus'))?.toLowerCase();
}

/** Whether a customer wrote this, and not Twilio of a message of ours. */
export function isInbound(params: Params): boolean {
  const status = statusIn(params);
  return status === undefined || status === 'received' || status === 'receiving';
}

interface Known {
  threadKeyIn(address: string): string | undefined;
  /** The message that the callback's address names. */
  sentFrom: SentFrom | undefined;
}

/** What a status callback means: news of a message, and with a STOP that only Twilio heard, of its reader. */
export function readStatus(params: Params, { threadKeyIn, sentFrom }: Known): (Receipt | ConsentChange)[] {
  const sid = messageSid(params);
  const status = STATUSES[statusIn(params) ?? ''];
  if (sid === undefined || status === undefined) return [];
  const threadKey = threadKeyIn(params.get('To') ?? '') || undefined;
  const receipt: Receipt = {
    kind: 'receipt',
    externalEventId: receiptKey(sid, statusIn(params) ?? ''),
    // Its message is found by its id, whoever it was for.
    threadKey: threadKey ?? sid,
    externalId: sid,
    status,
    ...(sentFrom === undefined ? {} : { message: sentFrom }),
  };
  if (status !== 'failed') return [receipt];
  const code = codeIn(params);
  const failed = { ...receipt, error: errorOf(code, params.get('ErrorMessage')) };
  if (threadKey === undefined || actionFor(code) !== 'stop') return [failed];
  return [failed, { kind: 'consent', externalEventId: `${sid}:stop`, threadKey, consent: 'stop' }];
}

/** What a message's news is recognised by when it comes again. */
export function receiptKey(sid: string, status: string): string {
  return `${sid}:${status}`;
}

/** The message that the event is about; older callbacks name it by an older name. */
export function messageSid(params: Params): string | undefined {
  const sid = params.get('MessageSid') ?? params.get('SmsSid') ?? params.get('SmsMessageSid');
  return sid !== undefined && /^(SM|MM)[0-9a-fA-F]{32}$/.test(sid) ? sid : undefined;
}

function codeIn(params: Params): number | undefined {
  const code = Number(params.get('ErrorCode'));
  return Number.isInteger(code) && code > 0 ? code : undefined;
}

function errorOf(code: number | undefined, said: string | undefined): NonNullable<Receipt['error']> {
  return {
    ...(code === undefined ? {} : { providerCode: String(code) }),
    message: meaningOf(code, said),
    ...(actionFor(code) === 'account' ? { channelBroken: true } : {}),
    ...ourWords(code),
  };
}
