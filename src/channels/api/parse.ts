import { createHash } from 'node:crypto';
import type { z } from 'zod';
import type { DoorRequest, TypingSign } from '../../core/adapter.ts';
import { choiceId } from '../../core/cards.ts';
import type {
  Inbound,
  InboundMessage,
  MessageDelete,
  MessageEdit,
  Reaction,
  Receipt,
  Sender,
} from '../../core/envelope.ts';
import { AppError, detailsOf } from '../../core/errors.ts';
import { malformed, readBody } from '../shared/json-body.ts';
import {
  type DeleteItem,
  deleteItem,
  type EditItem,
  editItem,
  type MessageItem,
  messageItem,
  type ReactionItem,
  type ReceiptItem,
  reactionItem,
  receiptItem,
  typingItem,
} from './items.ts';

const MOST_ITEMS = 100;

/** What the business's program tells us; items of a type that we do not know are left out. */
export function parse({ body }: Pick<DoorRequest, 'body'>): Inbound[] {
  return itemsOf(body).flatMap((item, n): Inbound[] => {
    switch (typeOf(item)) {
      case 'message':
        return [readMessage(valid(messageItem, item, n))];
      case 'receipt':
        return [readReceipt(valid(receiptItem, item, n))];
      case 'edit':
        return [readEdit(valid(editItem, item, n))];
      case 'delete':
        return [readDelete(valid(deleteItem, item, n))];
      case 'reaction':
        return [readReaction(valid(reactionItem, item, n))];
      default:
        return [];
    }
  });
}

/** Who types where, which nobody stores. */
export function typing({ body }: Pick<DoorRequest, 'body'>): TypingSign[] {
  const signs = itemsOf(body).flatMap((item, n) =>
    typeOf(item) === 'typing' ? [valid(typingItem, item, n)] : [],
  );
  return signs.map(({ thread_id, is_typing }) => ({ threadKey: thread_id, isTyping: is_typing }));
}

function itemsOf(body: Uint8Array): unknown[] {
  const read = readBody(body);
  const items = Array.isArray(read) ? read : [read];
  if (items.length > MOST_ITEMS) throw malformed(`holds more than ${MOST_ITEMS} items`);
  return items;
}

function typeOf(item: unknown): unknown {
  if (typeof item !== 'object' || item === null) return 'message';
  return 'type' in item ? item.type : 'message';
}

function valid<T>(schema: z.ZodType<T>, item: unknown, n: number): T {
  const result = schema.safeParse(item);
  if (result.success) return result.data;
  throw new AppError('validation_error', `Item ${n} is not valid.`, { details: detailsOf(result.error) });
}

function readMessage(item: MessageItem): InboundMessage {
  const { attachments, choice, html, subject, reply_to, group, metadata } = item;
  return {
    kind: 'message',
    externalEventId: `message:${item.external_id}`,
    externalId: item.external_id,
    threadKey: item.thread_id ?? (group ?? item.sender).external_id,
    ...happened(item.sent_at),
    sender: readSender(item.sender),
    type: attachments.length === 0 ? 'text' : 'attachment',
    content: item.content,
    ...(html === undefined ? {} : { html }),
    ...(subject === undefined ? {} : { subject }),
    ...(attachments.length === 0 ? {} : { attachments: attachments.map(readAttachment) }),
    ...(choice === undefined ? {} : { pressed: choiceId(choice.message_id, choice.number) }),
    ...(reply_to === undefined ? {} : { replyToExternalId: reply_to }),
    ...(group === undefined ? {} : { group: { ...readSender(group), kind: 'group' } }),
    ...(item.automatic === true ? { automatic: true } : {}),
    ...(metadata === undefined ? {} : { metadata }),
  };
}

function readSender({ external_id, name, email, phone, profile }: MessageItem['sender']): Sender {
  return {
    address: external_id,
    kind: 'id',
    ...(name === undefined ? {} : { name }),
    ...(email === undefined ? {} : { email }),
    ...(phone === undefined ? {} : { phone }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function readAttachment({ url, name, type, size }: MessageItem['attachments'][number]) {
  return {
    ref: { url },
    ...(name === undefined ? {} : { name }),
    ...(type === undefined ? {} : { contentType: type }),
    ...(size === undefined ? {} : { sizeBytes: size }),
  };
}

function readReceipt({ message_id, status, error, at }: ReceiptItem): Receipt {
  return {
    kind: 'receipt',
    // With its time: what is tried again may fail again.
    externalEventId: ['receipt', message_id, status, at].filter(Boolean).join(':'),
    threadKey: message_id,
    ...happened(at),
    externalId: message_id,
    status,
    ...(error === undefined
      ? {}
      : {
          error: {
            message: error.message,
            ...(error.code === undefined ? {} : { providerCode: error.code }),
          },
        }),
  };
}

function readEdit({ external_id, content, html, at, event_id }: EditItem): MessageEdit {
  return {
    kind: 'edit',
    externalEventId: `edit:${external_id}:${event_id ?? digest([content, html, at])}`,
    threadKey: external_id,
    ...happened(at),
    externalId: external_id,
    content,
    ...(html === undefined ? {} : { html }),
  };
}

function readDelete({ external_id, at }: DeleteItem): MessageDelete {
  return {
    kind: 'delete',
    externalEventId: `delete:${external_id}`,
    threadKey: external_id,
    ...happened(at),
    externalId: external_id,
  };
}

function readReaction({ external_id, sender, emojis, at, event_id }: ReactionItem): Reaction {
  const which = event_id ?? digest([emojis, at]);
  return {
    kind: 'reaction',
    externalEventId: `reaction:${external_id}:${sender.external_id}:${which}`,
    threadKey: external_id,
    ...happened(at),
    externalId: external_id,
    sender: readSender(sender),
    emojis,
  };
}

function happened(at: string | undefined) {
  return at === undefined ? {} : { occurredAt: new Date(at) };
}

/** What an item says, for those that bring no id of their own: said again, it is the same. */
function digest(said: unknown): string {
  return createHash('sha256').update(JSON.stringify(said)).digest('base64url');
}
