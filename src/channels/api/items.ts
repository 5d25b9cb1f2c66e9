import { z } from 'zod';

/*
 * What a business's own program may post to the door: one item, or an array of them. `type` says what it is; without it
 * it is a message.
 */

const id = z.string().trim().min(1).max(500);
const time = z.iso.datetime({ offset: true });
const eventId = id.optional();

const sender = z.object({
  external_id: id,
  name: z.string().max(200).optional(),
  email: z.email().max(320).optional(),
  phone: z.string().max(40).optional(),
  profile: z.record(z.string(), z.unknown()).optional(),
});

const attachment = z.object({
  url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).max(4_000),
  name: z.string().max(255).optional(),
  type: z.string().max(255).optional(),
  size: z.number().int().nonnegative().optional(),
});

export const messageItem = z
  .object({
    type: z.literal('message').default('message'),
    external_id: id,
    thread_id: id.optional(),
    sender,
    /** Where several people write: the group is the conversation's customer. */
    group: sender.optional(),
    content: z.string().max(100_000).default(''),
    html: z.string().max(500_000).optional(),
    subject: z.string().max(500).optional(),
    attachments: z.array(attachment).max(20).default([]),
    /** The button of a card that the customer pressed. */
    choice: z.object({ message_id: id, number: z.number().int().min(1).max(999) }).optional(),
    /** Of another message of the customer, by your id; or of one of ours, by its `message.id`. */
    reply_to: id.optional(),
    sent_at: time.optional(),
    /** Written by a machine: reopens nothing and is answered by nothing. */
    automatic: z.boolean().optional(),
    metadata: z.record(z.string(), z.unknown()).optional(),
  })
  .refine((item) => item.content.trim() !== '' || item.attachments.length > 0 || item.choice !== undefined, {
    path: ['content'],
    error: 'is required without an attachment',
  });

export const receiptItem = z.object({
  type: z.literal('receipt'),
  /** The `message.id` that you were given. */
  message_id: id,
  status: z.enum(['sent', 'delivered', 'read', 'failed']),
  error: z.object({ code: z.string().max(100).optional(), message: z.string().max(1_000) }).optional(),
  at: time.optional(),
});

export const editItem = z.object({
  type: z.literal('edit'),
  external_id: id,
  content: z.string().max(100_000),
  html: z.string().max(500_000).optional(),
  at: time.optional(),
  /** Tells two edits to the same text apart. */
  event_id: eventId,
});

export const deleteItem = z.object({ type: z.literal('delete'), external_id: id, at: time.optional() });

export const reactionItem = z.object({
  type: z.literal('reaction'),
  /** The message reacted to: yours by `external_id`, ours by its `message.id`. */
  external_id: id,
  sender,
  /** All of the sender's reactions; none takes them back. */
  emojis: z.array(z.string().min(1).max(20)).max(20),
  at: time.optional(),
  event_id: eventId,
});

export const typingItem = z.object({
  type: z.literal('typing'),
  thread_id: id,
  is_typing: z.boolean().default(true),
});

export type MessageItem = z.infer<typeof messageItem>;
export type ReceiptItem = z.infer<typeof receiptItem>;
export type EditItem = z.infer<typeof editItem>;
export type DeleteItem = z.infer<typeof deleteItem>;
export type ReactionItem = z.infer<typeof reactionItem>;
