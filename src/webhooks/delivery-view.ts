import { z } from 'zod';
import { isoOrNull } from '../core/views/time.ts';

export const DELIVERY_STATUSES = ['pending', 'delivered', 'failed', 'canceled'] as const;
export type DeliveryStatus = (typeof DELIVERY_STATUSES)[number];
export const TRIGGERS = ['event', 'retry', 'recover', 'replay', 'test'] as const;
export type Trigger = (typeof TRIGGERS)[number];

export interface DeliveryRow {
  id: string;
  created_at: Date;
  /** As Postgres writes it: the key of a page, which a Date would cut. */
  created_text: string;
  endpoint_id: string;
  event_id: string;
  event_type: string;
  conversation_id: string | null;
  trigger: Trigger;
  status: DeliveryStatus;
  tries: number;
  attempt: number;
  next_attempt_at: Date | null;
  last_outcome: string | null;
  last_status_code: number | null;
  last_duration_ms: number | null;
  delivered_at: Date | null;
  body: string;
}

export interface AttemptRow {
  id: string;
  number: number;
  url: string | null;
  started_at: Date;
  finished_at: Date | null;
  outcome: string | null;
  status_code: number | null;
  message: string | null;
  response_headers: Record<string, string> | null;
  response_excerpt: string | null;
  duration_ms: number | null;
}

export const deliveryView = z
  .object({
    id: z.string(),
    endpoint_id: z.string(),
    event_id: z.string().meta({ description: 'The `webhook-id` of every try.' }),
    event_type: z.string(),
    conversation_id: z.string().nullable(),
    trigger: z.enum(TRIGGERS).meta({ description: 'The event itself, or who asked for it again.' }),
    status: z.enum(DELIVERY_STATUSES),
    tries: z.number().int().meta({ description: 'Tries of the schedule under way.' }),
    attempt_count: z.number().int().meta({ description: 'All attempts ever made.' }),
    next_attempt_at: z.string().nullable(),
    last_outcome: z.string().nullable(),
    last_status_code: z.number().int().nullable(),
    last_duration_ms: z.number().int().nullable(),
    created_at: z.string(),
    delivered_at: z.string().nullable(),
  })
  .meta({ id: 'WebhookDelivery' });
export type DeliveryView = z.infer<typeof deliveryView>;

const attemptView = z.object({
  id: z.string(),
  number: z.number().int(),
  started_at: z.string(),
  finished_at: z.string().nullable(),
  duration_ms: z.number().int().nullable(),
  outcome: z
    .string()
    .nullable()
    .meta({ description: 'Null while under way; `unknown` when a crash cut it.' }),
  status_code: z.number().int().nullable(),
  message: z.string().nullable(),
  request: z
    .object({ method: z.literal('POST'), url: z.string(), headers: z.record(z.string(), z.string()) })
    .nullable()
    .meta({ description: 'The headers without the signatures and without those of your own.' }),
  response_headers: z.record(z.string(), z.string()).nullable(),
  response_excerpt: z.string().nullable(),
});

export const deliveryDetailView = deliveryView.extend({
  body: z.string().meta({ description: 'The exact text that was signed and sent.' }),
  attempts: z.array(attemptView),
});
export type DeliveryDetailView = z.infer<typeof deliveryDetailView>;

/** The delivery as lists show it. */
export function viewDelivery(row: DeliveryRow): DeliveryView {
  return {
    id: row.id,
    endpoint_id: row.endpoint_id,
    event_id: row.event_id,
    event_type: row.event_type,
    conversation_id: row.conversation_id,
    trigger: row.trigger,
    status: row.status,
    tries: row.tries,
    attempt_count: row.attempt,
    next_attempt_at: isoOrNull(row.next_attempt_at),
    last_outcome: row.last_outcome,
    last_status_code: row.last_status_code,
    last_duration_ms: row.last_duration_ms,
    created_at: row.created_at.toISOString(),
    delivered_at: isoOrNull(row.delivered_at),
  };
}

/** One try: what was asked and what came back. */
export function viewAttempt(row: AttemptRow, eventId: string): z.infer<typeof attemptView> {
  return {
    id: row.id,
    number: row.number,
    started_at: row.started_at.toISOString(),
    finished_at: isoOrNull(row.finished_at),
    duration_ms: row.duration_ms,
    outcome: row.outcome,
    status_code: row.status_code,
    message: row.message,
    request:
      row.url === null ? null : { method: 'POST', url: row.url, headers: requestHeaders(row, eventId) },
    response_headers: row.response_headers,
    response_excerpt: row.response_excerpt,
  };
}

function requestHeaders({ number, started_at, finished_at, duration_ms }: AttemptRow, eventId: string) {
  // An attempt may be written a moment before its request leaves.
  const leftAt = finished_at === null ? started_at.getTime() : finished_at.getTime() - (duration_ms ?? 0);
  return {
    'content-type': 'application/json',
    'webhook-id': eventId,
    'webhook-timestamp': String(Math.floor(leftAt / 1_000)),
    'webhook-attempt': String(number),
  };
}
