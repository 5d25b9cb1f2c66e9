import type { IdentityChange } from '../../../core/envelope.ts';
import { personOf } from './people.ts';
import { timeOf, userIdUpdatesOf, type Value, type WhatsAppMessage } from './webhook.ts';

interface Renamed {
  externalEventId: string;
  kind: 'phone' | 'user_id';
  from: string | undefined;
  to: string | undefined;
  timestamp: unknown;
}

/** A customer's new number or id, told by a system message. */
export function readIdentityChanges(message: WhatsAppMessage, value: Value): IdentityChange[] {
  const system = (message['system'] ?? {}) as Record<string, unknown>;
  const before = personOf(message, value);
  const { id, timestamp } = message;
  const phone = textIn(system['wa_id'] ?? system['new_wa_id']);
  return [
    ...renamed({
      externalEventId: id,
      kind: 'phone',
      from: before?.phone,
      to: phone === undefined ? undefined : `+${phone}`,
      timestamp,
    }),
    ...renamed({
      externalEventId: `${id}:user_id`,
      kind: 'user_id',
      from: textIn(system['previous_user_id']) ?? before?.userId,
      to: textIn(system['user_id']),
      timestamp,
    }),
  ];
}

/** The id by which a business knows a customer changes with the customer's number. */
export function readUserIdUpdates(value: Value): IdentityChange[] {
  return userIdUpdatesOf(value).flatMap(({ user_id: { previous, current }, timestamp }) =>
    renamed({
      externalEventId: `user_id:${previous}:${current}`,
      kind: 'user_id',
      from: previous,
      to: current,
      timestamp,
    }),
  );
}

function renamed({ externalEventId, kind, from, to, timestamp }: Renamed): IdentityChange[] {
  if (from === undefined || to === undefined || from === to) return [];
  const occurredAt = timeOf(timestamp);
  return [
    {
      kind: 'identity_change',
      externalEventId,
      threadKey: from,
      newThreadKey: to,
      address: { from, to, kind },
      ...(occurredAt === undefined ? {} : { occurredAt }),
    },
  ];
}

function textIn(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}
