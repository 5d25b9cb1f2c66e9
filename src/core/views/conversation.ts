import { z } from 'zod';
import type { CardAction } from '../envelope.ts';
import { type CustomerRow, customerView, viewCustomer } from './customer.ts';
import { isoOrNull } from './time.ts';

export const CONVERSATION_STATUSES = ['open', 'pending', 'snoozed', 'resolved', 'closed'] as const;
export type ConversationStatus = (typeof CONVERSATION_STATUSES)[number];
export const PRIORITIES = ['low', 'normal', 'high', 'urgent'] as const;

export interface ConversationRow {
  id: string;
  business_id: string;
  channel_id: string;
  channel_type: string;
  thread_key: string | null;
  customer_id: string | null;
  assignee_id: string | null;
  team_id: string | null;
  /** When an agent is looked for next; null while none has to be found. */
  assign_at: Date | null;
  status: ConversationStatus;
  subject: string | null;
  priority: (typeof PRIORITIES)[number] | null;
  tags: string[];
  custom_attributes: Record<string, unknown>;
  needs_human_handoff: boolean;
  handoff_reason: string | null;
  handoff_requested_at: Date | null;
  snoozed_until: Date | null;
  reply_window_expires_at: Date | null;
  last_message_seq: number;
  last_public_seq: number;
  unread_count: number;
  agent_read_seq: number;
  customer_read_seq: number;
  last_message_at: Date;
  first_response_at: Date | null;
  resolved_at: Date | null;
  closed_at: Date | null;
  merged_into_id: string | null;
  /** The choices that a typed answer is held against: those of our newest message, until one was chosen. */
  open_card: OpenCard | null;
  /** What agents wrote up to here does not keep the AI from answering. */
  ai_from_seq?: number | null;
  created_at: Date;
  updated_at: Date;
}

interface OpenCard {
  message_id: string;
  actions: CardAction[];
  /** It asks how the customer was served: its answer reopens nothing. */
  is_rating?: true;
}

export const conversationView = z
  .object({
    id: z.string(),
    business_id: z.string(),
    customer_id: z.string().nullable(),
    assignee_id: z.string().nullable(),
    team_id: z.string().nullable().meta({ description: 'The team it was given to.' }),
    status: z.enum(CONVERSATION_STATUSES),
    channel_type: z.string(),
    channel_id: z.string(),
    subject: z.string().nullable(),
    priority: z.enum(PRIORITIES).nullable(),
    tags: z.array(z.string()),
    custom_attributes: z.record(z.string(), z.unknown()),
    needs_human_handoff: z.boolean(),
    handoff_reason: z.string().nullable(),
    handoff_requested_at: z.string().nullable().meta({ description: 'Since when it waits for a person.' }),
    snoozed_until: z.string().nullable(),
    reply_window_expires_at: z.string().nullable(),
    last_message_at: z.string(),
    last_message_seq: z.number().int(),
    unread_count: z.number().int(),
    merged_into_id: z.string().nullable(),
    created_at: z.string(),
    updated_at: z.string(),
    first_response_at: z.string().nullable(),
    resolved_at: z.string().nullable(),
    closed_at: z.string().nullable(),
    customer: customerView.nullable(),
  })
  .meta({ id: 'Conversation' });

export type ConversationView = z.infer<typeof conversationView>;

/** The conversation as the API and events show it, its customer embedded. */
export function viewConversation(row: ConversationRow, customer: CustomerRow | null): ConversationView {
  return {
    id: row.id,
    business_id: row.business_id,
    customer_id: row.customer_id,
    assignee_id: row.assignee_id,
    team_id: row.team_id,
    status: row.status,
    channel_type: row.channel_type,
    channel_id: row.channel_id,
    subject: row.subject,
    priority: row.priority,
    tags: row.tags,
    custom_attributes: row.custom_attributes,
    needs_human_handoff: row.needs_human_handoff,
    handoff_reason: row.handoff_reason,
    handoff_requested_at: isoOrNull(row.handoff_requested_at),
    snoozed_until: isoOrNull(row.snoozed_until),
    reply_window_expires_at: isoOrNull(row.reply_window_expires_at),
    last_message_at: row.last_message_at.toISOString(),
    last_message_seq: row.last_message_seq,
    unread_count: row.unread_count,
    merged_into_id: row.merged_into_id,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    first_response_at: isoOrNull(row.first_response_at),
    resolved_at: isoOrNull(row.resolved_at),
    closed_at: isoOrNull(row.closed_at),
    customer: customer === null ? null : viewCustomer(customer),
  };
}
