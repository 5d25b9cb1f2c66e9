import { collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Pool } from '../core/database/connect.ts';

export interface Metrics {
  countRequest(facts: { method: string; route: string; status: number }, durationMs: number): void;
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
  addQueueGauges(registry, pool);
  return {
    countRequest: ({ method, route, status }, durationMs) => {
      requests.observe({ method, route, status: String(status) }, durationMs / 1000);
    },
    render: () => registry.metrics(),
    contentType: registry.contentType,
  };
}

function addQueueGauges(registry: Registry, pool: Pool): void {
  const gauges: [name: string, help: string, count: () => Promise<number>][] = [
    [
      'tributary_outbox_rows',
      'Changes that are not yet events',
      () => countOf(pool`select count(*) as n from outbox`),
    ],
    [
      'tributary_lanes_due',
      'Lanes with something due now',
      () => countOf(pool`select count(*) as n from lanes where due_at <= now()`),
    ],
    [
      'tributary_deliveries_pending',
      'Webhook deliveries that are not made yet',
      () => countOf(pool`select count(*) as n from deliveries where status = 'pending'`),
    ],
    [
      'tributary_channels_broken',
      'Channels whose provider refuses the account',
      () =>
        countOf(pool`select count(*) as n from channels where broken_at is not null and deleted_at is null`),
    ],
  ];
  for (const [name, help, count] of gauges) {
    const gauge: Gauge = new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        gauge.set(await count());
      },
    });
  }
}

async function countOf(query: PromiseLike<readonly { n?: unknown }[]>): Promise<number> {
  const [row] = await query;
  return Number(row?.n ?? 0);
}
