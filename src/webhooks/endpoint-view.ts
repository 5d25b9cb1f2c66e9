import { z } from 'zod';
import { isoOrNull } from '../core/views/time.ts';
import { clientCertificateView, viewClientCertificate } from './client-certificate.ts';
import { type Filter, filterSchema } from './filter.ts';
import { maskedHeaders } from './headers.ts';
import type { Dialect } from './payload.ts';
import type { SecretKind } from './sign.ts';

export const ORDERS = ['none', 'conversation', 'endpoint'] as const;
export type Order = (typeof ORDERS)[number];

export interface EndpointRow {
  id: string;
  business_id: string;
  url: string;
  events: string[];
  filter: Filter | null;
  description: string | null;
  dialect: Dialect;
  signatures: SecretKind[];
  headers: Uint8Array | null;
  header_names: string[];
  client_certificate: string | null;
  client_key: Uint8Array | null;
  ordering: Order;
  /** Requests under way at once; null is the usual number. */
  concurrency: number | null;
  /** Deliveries a second. */
  rate_limit: number | null;
  is_active: boolean;
  /** Since when every try failed. */
  failing_since: Date | null;
  failing_announced_at: Date | null;
  exhausted_announced_at: Date | null;
  /** Nothing is tried before. */
  paused_until: Date | null;
  disabled_at: Date | null;
  disabled_reason: string | null;
  missed_since: Date | null;
  created_at: Date;
  updated_at: Date;
}

export const endpointView = z
  .object({
    id: z.string(),
    business_id: z.string(),
    url: z.string(),
    events: z.array(z.string()),
    filter: filterSchema.nullable(),
    description: z.string().nullable(),
    signatures: z.array(z.enum(['v1', 'v1a'])),
    headers: z.record(z.string(), z.string()).meta({ description: 'Their values are never shown again.' }),
    client_certificate: clientCertificateView.nullable(),
    order: z.enum(ORDERS),
    concurrency: z.number().int().nullable(),
    rate_limit: z.number().int().nullable(),
    is_active: z.boolean(),
    failing_since: z.string().nullable().meta({ description: 'Since when every try has failed.' }),
    disables_at: z
      .string()
      .nullable()
      .meta({ description: 'When it will be switched off if every try goes on failing.' }),
    paused_until: z
      .string()
      .nullable()
      .meta({ description: 'It fails, or asked for patience: nothing is tried before.' }),
    disabled_at: z.string().nullable(),
    disabled_reason: z.string().nullable().meta({
      description: '`failing`, or `gone` when it answered 410; null when a person switched it off.',
    }),
    missed_since: z
      .string()
      .nullable()
      .meta({ description: 'From when on it missed events while it was off: `replay` delivers them.' }),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'WebhookEndpoint' });
export type EndpointView = z.infer<typeof endpointView>;

/** The endpoint as the API and events show it, without its secrets. */
export function viewEndpoint(row: EndpointRow, { disableAfterMs }: { disableAfterMs: number }): EndpointView {
  return {
    id: row.id,
    business_id: row.business_id,
    url: row.url,
    events: row.events,
    filter: row.filter,
    description: row.description,
    signatures: row.signatures,
    headers: maskedHeaders(row.header_names),
    client_certificate: viewClientCertificate(row),
    order: row.ordering,
    concurrency: row.concurrency,
    rate_limit: row.rate_limit,
    is_active: row.is_active,
    failing_since: isoOrNull(row.failing_since),
    disables_at: isoOrNull(row.is_active ? disablesAt(row, disableAfterMs) : null),
    paused_until: isoOrNull(row.paused_until),
    disabled_at: isoOrNull(row.disabled_at),
    disabled_reason: row.disabled_reason,
    missed_since: isoOrNull(row.missed_since),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** When an endpoint that goes on failing is switched off; null while it does not fail. */
export function disablesAt(
  { failing_since }: Pick<EndpointRow, 'failing_since'>,
  disableAfterMs: number,
): Date | null {
  return failing_since === null ? null : new Date(failing_since.getTime() + disableAfterMs);
}
