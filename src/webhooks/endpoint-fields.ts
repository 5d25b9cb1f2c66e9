import type { EgressGuard } from '../core/egress.ts';
import { invalidField } from '../core/errors.ts';
import { EVENT_TYPES } from '../core/events.ts';
import type { ClientCertificate } from './client-certificate.ts';
import type { Order } from './endpoint-view.ts';
import type { Filter } from './filter.ts';
import { type CustomHeaders, vetHeaders } from './headers.ts';
import type { SecretKind } from './sign.ts';

/** What whoever subscribes may choose. */
export interface EndpointFields {
  url?: string | undefined;
  events?: string[] | undefined;
  filter?: Filter | null | undefined;
  description?: string | null | undefined;
  signatures?: SecretKind[] | undefined;
  headers?: CustomHeaders | null | undefined;
  client_certificate?: ClientCertificate | null | undefined;
  order?: Order | undefined;
  concurrency?: number | null | undefined;
  rate_limit?: number | null | undefined;
  is_active?: boolean | undefined;
}

/** The named fields as columns. Throws a refusal that names the field. */
export function columnsOf(fields: EndpointFields, egress: EgressGuard): Record<string, unknown> {
  const { url, events, headers, client_certificate: _sealed, order, signatures, ...plain } = fields;
  if (headers) vetHeaders(headers);
  return Object.fromEntries(
    Object.entries({
      ...plain,
      url: url === undefined ? undefined : vetted(url, egress),
      events: events === undefined ? undefined : vetEvents(events),
      signatures: signatures === undefined ? undefined : vetSignatures(signatures),
      ordering: order,
    }).filter(([, value]) => value !== undefined),
  );
}

/** Kept as it was written, so that it reads back the same. */
function vetted(url: string, egress: EgressGuard): string {
  egress.vetUrl(url, 'url');
  return url;
}

function vetEvents(events: string[]): string[] {
  if (events.length === 0) throw invalidField('events', 'must name at least one event type, or "*"');
  const unknown = events.find((type) => !EVENT_TYPES.some((known) => covers(type, known)));
  if (unknown !== undefined) throw invalidField('events', `"${unknown}" is no event type`);
  return events.includes('*') ? ['*'] : [...new Set(events)];
}

/** Pure: whether what an endpoint names (`*`, `message.*` or a type) covers an event type. */
export function covers(named: string, type: string): boolean {
  return named === '*' || named === type || (named.endsWith('.*') && type.startsWith(named.slice(0, -1)));
}

function vetSignatures(signatures: SecretKind[]): SecretKind[] {
  if (!signatures.includes('v1'))
    throw invalidField('signatures', 'must have v1, which every receiver knows');
  return [...new Set(signatures)].sort();
}
