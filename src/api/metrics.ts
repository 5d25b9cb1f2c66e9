import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Pool } from '../core/database/connect.ts';

export interface Metrics {
  countRequest(facts: { method: string; route: string; status: number }, durationMs: number): void;
  /** One try of a webhook's delivery that ended. */
  countAttempt(outcome: string, durationMs: number): void;
  /** Prometheus' text format. */
  render(): Promise<string>;
  readonly contentType: string;
}

/** The numbers of this process and of the shared queues. No label names a tenant. */
export function createMetrics(pool: Pool): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const requests = new Histogram({
    name: 'tributary_http_request_duration_seconds',
    help: 'HTTP requests by method, route pattern and status',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [registry],
  });
  const attempts = new Histogram({
    name: 'tributary_webhook_attempt_duration_seconds',
    help: 'Tries of webhook deliveries by outcome',
    labelNames: ['outcome'],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15],
    registers: [registry],
  });
  addQueueGauges(registry, pool);
  return {
    countRequest: ({ method, route, status }, durationMs) => {
      requests.observe({ method, route, status: String(status) }, durationMs / 1000);
    },
    countAttempt: (outcome, durationMs) => attempts.observe({ outcome }, durationMs / 1000),
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

type QueueGauge = [name: string, help: string, count: (pool: Pool) => Promise<number>];

const QUEUE_GAUGES: QueueGauge[] = [
  [
    'tributary_outbox_rows',
    'Changes that are not yet events',
    (pool) => countOf(pool`select count(*) as n from outbox`),
  ],
  [
    'tributary_lanes_due',
    'Lanes with something due now',
    (pool) => countOf(pool`select count(*) as n from lanes where due_at <= now()`),
  ],
  [
    'tributary_deliveries_pending',
    'Webhook deliveries that are not made yet',
    (pool) => countOf(pool`select count(*) as n from deliveries where status = 'pending'`),
  ],
  [
    'tributary_delivery_oldest_due_seconds',
    'How long the delivery has waited that is due the longest',
    (pool) =>
      countOf(pool`
          select coalesce(extract(epoch from now() - min(next_attempt_at)), 0)::float as n from deliveries
          where status = 'pending' and next_attempt_at <= now()`),
  ],
  [
    'tributary_webhook_endpoints_failing',
    'Active webhook endpoints whose every try fails',
    (pool) =>
      countOf(pool`
          select count(*) as n from webhook_endpoints
          where is_active and deleted_at is null and failing_since is not null`),
  ],
  [
    'tributary_webhook_endpoints_disabled',
    'Webhook endpoints that were switched off because they failed',
    (pool) =>
      countOf(pool`
          select count(*) as n from webhook_endpoints where disabled_at is not null and deleted_at is null`),
  ],
  [
    'tributary_channels_broken',
    'Channels whose provider refuses the account',
    (pool) =>
      countOf(pool`select count(*) as n from channels where broken_at is not null and deleted_at is null`),
  ],
];

function addQueueGauges(registry: Registry, pool: Pool): void {
  for (const [name, help, count] of QUEUE_GAUGES) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        gauge.set(await count(pool));
      },
    });
  }
}

async function countOf(query: PromiseLike<readonly { n?: unknown }[]>): Promise<number> {
  const [row] = await query;
  return Number(row?.n ?? 0);
}
