import type { Receipt } from '../../../core/envelope.ts';
import { classify } from './errors.ts';
import { timeOf, type WhatsAppError, type WhatsAppStatus } from './webhook.ts';

const STATUSES: Record<string, Receipt['status']> = {
  sent: 'sent',
  delivered: 'delivered',
  read: 'read',
  // A voice message that was listened to was read.
  played: 'read',
  failed: 'failed',
};

/** What became of a message that we sent; a status that nobody knows yet says nothing. */
export function readReceipt(status: WhatsAppStatus): Receipt[] {
  const reached = STATUSES[status.status];
  if (reached === undefined) return [];
  const occurredAt = timeOf(status.timestamp);
  const message = readCallbackData(status.biz_opaque_callback_data);
  return [
    {
      kind: 'receipt',
      externalEventId: ['status', status.id, status.status, status.recipient_participant_id]
        .filter(Boolean)
        .join(':'),
      // A failed status may name nobody.
      threadKey: status.recipient_id ?? status.recipient_user_id ?? status.id,
      externalId: status.id,
      status: reached,
      ...(occurredAt === undefined ? {} : { occurredAt }),
      ...(message === undefined ? {} : { message }),
      ...(reached === 'failed' ? { error: errorOf(status.errors?.[0]) } : {}),
    },
  ];
}

function errorOf(error: WhatsAppError | undefined): NonNullable<Receipt['error']> {
  if (error === undefined) return { message: 'WhatsApp could not deliver it and did not say why.' };
  const { code, title, message, error_data } = error;
  const details = error_data?.details ?? message ?? title ?? 'no reason given';
  const { action, meaning, code: ours, retryable } = classify(Number(code));
  return {
    providerCode: String(code),
    message: meaning === undefined ? details : `${meaning} (${details})`,
    retryable,
    ...(action === 'account' ? { channelBroken: true } : {}),
    ...(ours === undefined ? {} : { code: ours }),
  };
}

/** Our own message and its part, as a status gives it back: that finds the message even when the answer was lost. */
export function callbackData(messageId: string, part: number): string {
  return `${messageId}:${part}`;
}

function readCallbackData(text: string | undefined): Receipt['message'] {
  const [, id, part] = /^([0-9a-f-]{36}):(\d{1,4})$/.exec(text ?? '') ?? [];
  return id === undefined ? undefined : { id, part: Number(part) };
}
