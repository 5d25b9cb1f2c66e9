import type { WebhookPolicy } from '../core/config.ts';
import type { Transact } from '../core/database/transact.ts';
import { record } from '../core/events.ts';
import { type DeliveryRow, viewDelivery } from './delivery-view.ts';
import { type EndpointRow, viewEndpoint } from './endpoint-view.ts';
import type { Result } from './results.ts';

// News of failed news would never end.
const OWN_TYPE = /^(endpoint|delivery)\./;

/** Tells the business that a delivery was given up, once an hour for each endpoint: the log shows the others. */
export async function announceExhausted(
  transact: Transact,
  endpoint: EndpointRow,
  { delivery, policy }: Pick<Result, 'delivery'> & { policy: WebhookPolicy },
): Promise<void> {
  if (OWN_TYPE.test(delivery.event_type)) return;
  await transact(async (tx) => {
    const [told] = await tx<EndpointRow[]>`
      update webhook_endpoints set exhausted_announced_at = now()
      where id = ${endpoint.id} and deleted_at is null
        and (exhausted_announced_at is null or exhausted_announced_at < now() - interval '1 hour')
      returning *`;
    const [row] = await tx<DeliveryRow[]>`
      select *, created_at::text as created_text from deliveries
      where id = ${delivery.id} and created_at = ${delivery.created_at}`;
    if (told === undefined || row === undefined) return;
    const data = { endpoint: viewEndpoint(told, policy), delivery: viewDelivery(row) };
    await record(tx, [{ type: 'delivery.failed', businessId: endpoint.business_id, data }]);
  });
}
