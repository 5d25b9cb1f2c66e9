import type { Sql } from '../core/database/connect.ts';
import type { Transact } from '../core/database/transact.ts';
import { type EventType, record } from '../core/events.ts';
import { type EndpointRow, viewEndpoint } from './endpoints.ts';
import type { Result } from './results.ts';

// About 35 minutes of failures for one delivery: more than a hiccup.
const TELLING_TRIES = 4;
const DISABLE_AFTER_MS = 5 * 86_400_000;
const GONE = 410;

/** What a batch of results says about the endpoint. */
export type Verdict = 'healthy' | 'failing' | 'announce' | 'disable' | 'gone' | 'nothing';

/** Pure: judges the endpoint by results that came in together. A single success clears it. */
export function judge(endpoint: EndpointRow, results: readonly Result[], now: Date): Verdict {
  const failures = results.filter(({ answer }) => answer.outcome !== 'delivered' && !answer.wasInterrupted);
  if (failures.some(({ answer }) => answer.statusCode === GONE)) return 'gone';
  if (results.some(({ answer }) => answer.outcome === 'delivered')) {
    return endpoint.failing_since === null ? 'nothing' : 'healthy';
  }
  if (failures.length === 0) return 'nothing';
  if (endpoint.failing_since === null) return 'failing';
  if (!failures.some(({ delivery }) => delivery.tries + 1 >= TELLING_TRIES)) return 'nothing';
  if (now.getTime() - endpoint.failing_since.getTime() >= DISABLE_AFTER_MS) return 'disable';
  return endpoint.failing_announced_at === null ? 'announce' : 'nothing';
}

/** Writes the verdict on the endpoint, with the event that it calls for, and returns the endpoint as it is now. */
export async function applyVerdict(
  transact: Transact,
  endpoint: EndpointRow,
  verdict: Verdict,
): Promise<EndpointRow> {
  if (verdict === 'nothing') return endpoint;
  return transact(async (tx) => {
    const [changed] = await changeEndpoint(tx, endpoint.id, verdict);
    const event = EVENT_OF[verdict];
    if (changed !== undefined && event !== undefined) await recordEndpoint(tx, event, changed);
    return changed ?? endpoint;
  });
}

const EVENT_OF: Partial<Record<Verdict, EventType>> = {
  announce: 'endpoint.failing',
  disable: 'endpoint.disabled',
  gone: 'endpoint.disabled',
};

async function recordEndpoint(tx: Sql, type: EventType, endpoint: EndpointRow): Promise<void> {
  await record(tx, [{ type, businessId: endpoint.business_id, data: { endpoint: viewEndpoint(endpoint) } }]);
}

/** Nothing comes back when another process has already written the same. */
function changeEndpoint(tx: Sql, id: string, verdict: Exclude<Verdict, 'nothing'>) {
  const active = tx`id = ${id} and is_active and deleted_at is null`;
  switch (verdict) {
    case 'healthy':
      return tx<EndpointRow[]>`
        update webhook_endpoints set failing_since = null, failing_announced_at = null where ${active} returning *`;
    case 'failing':
      return tx<EndpointRow[]>`
        update webhook_endpoints set failing_since = coalesce(failing_since, now()) where ${active} returning *`;
    case 'announce':
      return tx<EndpointRow[]>`
        update webhook_endpoints set failing_announced_at = now()
        where ${active} and failing_announced_at is null returning *`;
    case 'disable':
    case 'gone':
      return tx<EndpointRow[]>`
        update webhook_endpoints set is_active = false, disabled_at = now(), updated_at = now(),
          disabled_reason = ${verdict === 'gone' ? 'gone' : 'failing'}
        where ${active} returning *`;
  }
}
