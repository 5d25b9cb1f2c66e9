import type { Channel, DoorRequest } from '../../../core/adapter.ts';
import type {
  Inbound,
  InboundMessage,
  MessageDelete,
  MessageEdit,
  Reaction,
} from '../../../core/envelope.ts';
import { malformed, readBody } from '../../shared/json-body.ts';
import { type Content, readContent } from './content.ts';
import { groupAddress, type Person, personOf, senderOf, threadOf } from './people.ts';
import { readReceipt } from './receipts.ts';
import { accountKey, type CloudSettings } from './settings.ts';
import { readIdentityChanges, readUserIdUpdates } from './system.ts';
import {
  callsOf,
  changesOf,
  messagesOf,
  statusesOf,
  timeOf,
  type Value,
  type WhatsAppMessage,
} from './webhook.ts';

/** What a batch of Meta means: every item of every change, each with the number that it names when that is not ours. */
export function parse(request: DoorRequest, { settings }: Channel<CloudSettings>): Inbound[] {
  const changes = changesOf(readBody(request.body));
  if (changes === undefined) throw malformed('is no webhook of WhatsApp');
  const seen = new Set<string>();
  return changes.flatMap((value) => {
    const phoneNumberId = value.metadata?.phone_number_id ?? settings.phone_number_id;
    const account = phoneNumberId === settings.phone_number_id ? {} : { account: accountKey(phoneNumberId) };
    return readChange(value)
      .map((item) => ({ ...item, ...account }))
      .filter((item) => isFirst(seen, `${phoneNumberId} ${item.externalEventId}`));
  });
}

/** A batch may say the same twice. */
function isFirst(seen: Set<string>, key: string): boolean {
  if (seen.has(key)) return false;
  seen.add(key);
  return true;
}

function readChange(value: Value): Inbound[] {
  return [
    ...messagesOf(value.messages).flatMap((message) => readMessage(message, value)),
    ...messagesOf(value.message_echoes).flatMap((message) => readEcho(message, value)),
    ...statusesOf(value).flatMap(readReceipt),
    ...readUserIdUpdates(value),
    ...readCalls(value),
  ];
}

function readMessage(message: WhatsAppMessage, value: Value): Inbound[] {
  if (message.type === 'system') return readIdentityChanges(message, value);
  const person = personOf(message, value);
  if (person === undefined) return [];
  switch (message.type) {
    case 'reaction':
      return readReaction(message, person);
    case 'edit':
      return readEdit(message, person);
    case 'revoke':
      return readDeletion(message, person);
    default:
      return [fullMessage(message, person, readContent(message))];
  }
}

function place(message: WhatsAppMessage, person: Person) {
  const occurredAt = timeOf(message.timestamp);
  const thread =
    message.group_id === undefined ? threadOf(person) : { threadKey: groupAddress(message.group_id) };
  return {
    externalEventId: message.id,
    ...thread,
    ...(occurredAt === undefined ? {} : { occurredAt }),
  };
}

function fullMessage(message: WhatsAppMessage, person: Person, content: Content): InboundMessage {
  const { group_id, context } = message;
  return {
    kind: 'message',
    ...place(message, person),
    sender: senderOf(person),
    externalId: message.id,
    ...content,
    ...(group_id === undefined ? {} : { group: { address: groupAddress(group_id), kind: 'group' } }),
    ...(context?.id === undefined ? {} : { replyToExternalId: context.id }),
    metadata: { ...content.metadata, ...circumstances(message) },
  };
}

/** How it came about: passed on, answering a product, or by way of an advertisement. */
function circumstances({ context, referral }: WhatsAppMessage): Record<string, unknown> {
  return {
    ...(context?.forwarded || context?.frequently_forwarded ? { forwarded: true } : {}),
    ...(context?.frequently_forwarded ? { frequently_forwarded: true } : {}),
    ...(context?.referred_product === undefined ? {} : { referred_product: context.referred_product }),
    ...(referral === undefined ? {} : { referral }),
  };
}

function readReaction(message: WhatsAppMessage, person: Person): Reaction[] {
  const { message_id, emoji } = objectIn(message['reaction']);
  if (typeof message_id !== 'string') return [];
  // No emoji, or an empty one, takes it back.
  const emojis = typeof emoji === 'string' && emoji !== '' ? [emoji] : [];
  return [
    { kind: 'reaction', ...place(message, person), externalId: message_id, sender: senderOf(person), emojis },
  ];
}

function readEdit(message: WhatsAppMessage, person: Person): MessageEdit[] {
  const { original_message_id: original, message: edited } = objectIn(message['edit']);
  const { type } = objectIn(edited);
  if (typeof original !== 'string' || typeof type !== 'string') return [];
  const { content } = readContent({ ...objectIn(edited), type, errors: undefined });
  return [{ kind: 'edit', ...place(message, person), externalId: original, content }];
}

function readDeletion(message: WhatsAppMessage, person: Person): MessageDelete[] {
  const { original_message_id: original } = objectIn(message['revoke']);
  if (typeof original !== 'string') return [];
  return [{ kind: 'delete', ...place(message, person), externalId: original }];
}

/** What somebody of the business wrote in its phone app; of their reactions and edits only the app knows. */
function readEcho(message: WhatsAppMessage, value: Value): InboundMessage[] {
  const { to: from, to_user_id: from_user_id } = message;
  const person = personOf({ from, from_user_id }, value);
  if (person === undefined || NOT_ECHOED.has(message.type)) return [];
  return [{ ...fullMessage(message, person, readContent(message)), echo: true }];
}

const NOT_ECHOED = new Set(['reaction', 'edit', 'revoke', 'system']);

/** Nobody can answer a call here, but that somebody called must not be lost. */
function readCalls(value: Value): InboundMessage[] {
  return callsOf(value).flatMap((call) => {
    const person = personOf(call, value);
    if (call.event !== 'connect' || call.direction !== 'USER_INITIATED' || person === undefined) return [];
    const message = { id: call.id, type: 'call', timestamp: call.timestamp };
    const content = { type: 'unsupported' as const, content: '[call]', metadata: { whatsapp_type: 'call' } };
    return [fullMessage(message, person, content)];
  });
}

function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
