import { z } from 'zod';
import { isUuid } from '../core/id.ts';

/** One event on its way to a socket. */
export interface Frame {
  event: ServerEvent;
  payload: Record<string, unknown>;
  /** The place of the event it tells of. */
  at?: number;
}

export type ServerEvent =
  | 'ready'
  | 'session'
  | 'new_message'
  | 'message_updated'
  | 'message_deleted'
  | 'typing'
  | 'delivered'
  | 'read'
  | 'agent_status_changed'
  | 'conversation_assigned'
  | 'event'
  | 'error'
  | 'draining';

/** What a refusal shows, in an ack as `{error}`, without one as the event `error`. */
export interface Refusal {
  code: string;
  message: string;
  details?: { field: string; message: string }[];
}

// Clients written for ids that are numbers send numbers; such an id is simply not found.
const text = z.union([z.string(), z.number().transform(String)]);
const conversationId = text.refine(isUuid, 'is not the id of a conversation');

/** An absent value, however the client spells it. */
function optional<T extends z.ZodType>(schema: T) {
  return z.preprocess((value) => (value === null || value === '' ? undefined : value), schema.optional());
}

export const handshakeAuth = z.object({
  business_id: text.refine(isUuid, 'is not the id of a business'),
  /** An API key: the agent side. */
  token: text.nullish(),
  /** The agent side's last cursor: what was missed comes before `ready`. */
  after: optional(z.string().max(500)),
  channel_id: optional(z.string()),
  visitor_token: optional(z.string().max(4_000)),
  identity_token: optional(z.string().max(8_000)),
});
export type HandshakeAuth = z.infer<typeof handshakeAuth>;

const MAX_TEXT = 20_000;

const customerData = z.object({
  name: optional(z.string().trim().max(200)),
  email: optional(z.string().trim().pipe(z.email().max(320))),
});

const attachmentDraft = z.object({
  id: optional(z.string().max(100)),
  url: optional(z.string().max(4_000)),
  name: optional(z.string().max(255)),
  type: optional(z.string().max(255)),
  size: optional(z.number().int().nonnegative()),
});
export type AttachmentDraft = z.infer<typeof attachmentDraft>;

export const clientMessage = z
  .object({
    content: z
      .string()
      .max(MAX_TEXT)
      .nullish()
      .transform((content) => content ?? ''),
    conversation_id: optional(conversationId),
    customer_data: optional(customerData),
    client_message_id: optional(text.pipe(z.string().max(200))),
    attachments: optional(z.array(attachmentDraft).max(10)),
    new: z.boolean().nullish(),
    /** The button of a card that the visitor pressed. */
    choice: optional(z.object({ message_id: text, number: z.number().int().min(1).max(999) })),
  })
  .refine(saysSomething, { path: ['content'], message: 'must not be empty without an attachment' });

function saysSomething(message: { content: string; attachments?: unknown[] | undefined; choice?: unknown }) {
  return (
    message.content.trim() !== '' || (message.attachments?.length ?? 0) > 0 || message.choice !== undefined
  );
}

export type ClientMessage = z.infer<typeof clientMessage>;

export const typing = z.object({ conversation_id: conversationId, is_typing: z.boolean() });
export const readUpTo = z.object({
  conversation_id: conversationId,
  up_to_seq: z.number().int().nonnegative(),
});
export const join = z.object({ conversation_id: conversationId });
export const agentSync = z.object({ after: z.string().max(500) });
export const visitorSync = z.object({
  conversation_id: conversationId,
  after_seq: z.number().int().nonnegative().default(0),
  limit: z.number().int().min(1).max(100).default(100),
});
export const nothing = z.unknown();
