import { z } from 'zod';
import type { Card, Choice, MailFacts, MessageType } from '../envelope.ts';
import { isoOrNull } from './time.ts';

const MESSAGE_TYPES = [
  'text',
  'attachment',
  'card',
  'location',
  'contact',
  'template',
  'note',
  'activity',
  'unsupported',
] as const satisfies readonly MessageType[];

export const MESSAGE_STATUSES = [
  'scheduled',
  'queued',
  'sending',
  'sent',
  'delivered',
  'read',
  'failed',
  'canceled',
] as const;
export type MessageStatus = (typeof MESSAGE_STATUSES)[number];

export interface AttachmentRow {
  id: string;
  message_id: string | null;
  name: string;
  content_type: string;
  size_bytes: number | null;
  /** Of a picture that has a thumbnail. */
  width: number | null;
  height: number | null;
  /** Why the bytes are not here. */
  error: string | null;
  state: 'uploaded' | 'pending' | 'ready' | 'failed' | 'too_large' | 'expired';
}

export interface MessageRow {
  id: string;
  business_id: string;
  conversation_id: string;
  channel_id: string;
  customer_id: string | null;
  seq: number | null;
  direction: 'inbound' | 'outbound' | 'internal';
  sender_type: 'customer' | 'agent' | 'system' | 'bot';
  sender_id: string | null;
  sender_name: string | null;
  type: MessageType;
  content: string;
  html: string | null;
  text_full: string | null;
  card: Card | null;
  email: MailFacts | null;
  reactions: { emoji: string; sender: string }[];
  reply_to_id: string | null;
  client_message_id: string | null;
  external_id: string | null;
  metadata: Record<string, unknown> & { choice?: Choice };
  status: MessageStatus | null;
  error: MessageError | null;
  send_at: Date | null;
  cancel_on_reply?: boolean;
  next_attempt_at: Date | null;
  created_at: Date;
  sent_at: Date | null;
  delivered_at: Date | null;
  read_at: Date | null;
  edited_at: Date | null;
  deleted_at: Date | null;
}

const messageError = z.object({
  code: z.string(),
  provider_code: z.string().nullable(),
  message: z.string(),
  retryable: z.boolean(),
});
export type MessageError = z.infer<typeof messageError>;

export const attachmentView = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.string(),
    size: z.number().int().nullable(),
    url: z.string().nullable(),
    thumbnail_url: z
      .string()
      .nullable()
      .meta({ description: 'A small WebP, of pictures only; as short-lived as `url`.' }),
    width: z.number().int().nullable(),
    height: z.number().int().nullable(),
    state: z.enum(['pending', 'ready', 'failed', 'too_large', 'expired']),
    error: z.string().nullable().meta({ description: 'Why it is not here.' }),
  })
  .meta({ id: 'Attachment' });
export type AttachmentView = z.infer<typeof attachmentView>;

const cardAction = z.object({
  label: z.string().min(1).max(200),
  url: z
    .url({ protocol: /^https?$/, error: 'must be an http(s) address' })
    .max(4_000)
    .optional(),
  action: z.string().max(200).optional().meta({ description: 'Comes back in `choice` of the answer.' }),
  description: z.string().min(1).max(500).optional(),
  section: z.string().min(1).max(100).optional(),
});

export const cardView = z
  .object({
    title: z.string().min(1).max(1_000),
    description: z.string().max(4_000).optional(),
    actions: z.array(cardAction).max(20).optional(),
    layout: z.enum(['buttons', 'quick_replies', 'list']).optional().meta({
      description: 'How the choices are best shown. A channel that cannot shows buttons, or numbered text.',
    }),
    list_label: z.string().min(1).max(20).optional().meta({ description: 'The button that opens the list.' }),
  })
  .meta({ id: 'Card' });

const choiceView = z
  .object({
    message_id: z.string().nullable().meta({ description: 'The message whose card it answers.' }),
    number: z.number().int().nullable(),
    label: z.string(),
    action: z.string().meta({ description: 'What the card calls the choice, or its label.' }),
  })
  .meta({ id: 'Choice', description: 'What the customer chose, by button, label or number.' });

export const messageView = z
  .object({
    id: z.string(),
    seq: z.number().int().nullable(),
    conversation_id: z.string(),
    direction: z.enum(['inbound', 'outbound', 'internal']),
    sender_type: z.enum(['customer', 'agent', 'system', 'bot']),
    sender_id: z.string().nullable(),
    sender: z.object({ id: z.string().nullable(), name: z.string().nullable() }),
    type: z.enum(MESSAGE_TYPES),
    content: z.string(),
    html: z.string().nullable(),
    text_full: z.string().nullable(),
    attachments: z.array(attachmentView),
    card: cardView.nullable(),
    choice: choiceView.nullable(),
    email: z
      .object({
        subject: z.string().optional(),
        from: z.string().optional(),
        to: z.array(z.string()).optional(),
        cc: z.array(z.string()).optional(),
        bcc: z.array(z.string()).optional(),
        reply_to: z.string().optional(),
        message_id: z.string().optional(),
        in_reply_to: z.string().optional(),
        references: z.array(z.string()).optional(),
      })
      .nullable(),
    reactions: z.array(z.object({ emoji: z.string(), sender: z.string() })),
    reply_to_id: z.string().nullable(),
    client_message_id: z.string().nullable(),
    external_id: z.string().nullable(),
    status: z.enum(MESSAGE_STATUSES).nullable(),
    error: messageError.nullable(),
    metadata: z.record(z.string(), z.unknown()),
    blocked_by: z.string().nullable(),
    next_attempt_at: z.string().nullable(),
    send_at: z.string().nullable(),
    created_at: z.string(),
    sent_at: z.string().nullable(),
    delivered_at: z.string().nullable(),
    read_at: z.string().nullable(),
    edited_at: z.string().nullable(),
    deleted_at: z.string().nullable(),
  })
  .meta({ id: 'Message' });
export type MessageView = z.infer<typeof messageView>;

interface MessageExtras {
  attachments: AttachmentRow[];
  /** The earlier message of the conversation that this one waits for. */
  blockedBy?: string | null;
}

/** The message as the API and events show it. URLs of attachments are null until `mintUrls` fills them for a reader. */
export function viewMessage(row: MessageRow, { attachments, blockedBy = null }: MessageExtras): MessageView {
  return {
    id: row.id,
    seq: row.seq,
    conversation_id: row.conversation_id,
    direction: row.direction,
    sender_type: row.sender_type,
    sender_id: row.sender_id,
    sender: { id: row.sender_type === 'customer' ? row.customer_id : row.sender_id, name: row.sender_name },
    type: row.type,
    content: row.content,
    html: row.html,
    text_full: row.text_full,
    attachments: attachments.map(viewAttachment),
    card: row.card,
    choice: row.metadata.choice ?? null,
    email: row.email,
    reactions: row.reactions,
    reply_to_id: row.reply_to_id,
    client_message_id: row.client_message_id,
    external_id: row.external_id,
    status: row.status,
    error: row.error,
    metadata: withoutChoice(row.metadata),
    blocked_by: blockedBy,
    next_attempt_at: isoOrNull(row.next_attempt_at),
    send_at: isoOrNull(row.send_at),
    created_at: row.created_at.toISOString(),
    sent_at: isoOrNull(row.sent_at),
    delivered_at: isoOrNull(row.delivered_at),
    read_at: isoOrNull(row.read_at),
    edited_at: isoOrNull(row.edited_at),
    deleted_at: isoOrNull(row.deleted_at),
  };
}

/** It has a member of its own. */
function withoutChoice({ choice: _, ...metadata }: MessageRow['metadata']): Record<string, unknown> {
  return metadata;
}

/** The attachment without addresses, which are minted for whom it is shown to. */
export function viewAttachment(row: AttachmentRow): AttachmentView {
  return {
    id: row.id,
    name: row.name,
    type: row.content_type,
    size: row.size_bytes,
    url: null,
    thumbnail_url: null,
    width: row.width,
    height: row.height,
    state: row.state === 'uploaded' ? 'pending' : row.state,
    error: row.error,
  };
}
