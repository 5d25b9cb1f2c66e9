import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { AppError } from '../../core/errors.ts';
import { isOperator } from '../auth.ts';
import type { ApiEnv, OperationDeps } from '../deps.ts';
import { errors, json } from '../openapi.ts';

const DATABASE_DEADLINE_MS = 2_000;

const ok = z.object({ status: z.literal('ok') });
const tags = ['Operation'];

const live = createRoute({
  method: 'get',
  path: '/health/live',
  tags,
  summary: 'Whether the process runs',
  security: [],
  responses: { 200: json('It runs', ok), ...errors },
});

const ready = createRoute({
  method: 'get',
  path: '/health/ready',
  tags,
  summary: 'Whether requests may be sent here',
  security: [],
  responses: { 200: json('They may', ok), ...errors },
});

const metricsRoute = createRoute({
  method: 'get',
  path: '/metrics',
  tags,
  summary: 'Prometheus metrics; from this machine or with ADMIN_API_KEY',
  security: [{ bearer: [] }, {}],
  responses: {
    200: { description: 'Text format', content: { 'text/plain': { schema: z.string() } } },
    ...errors,
  },
});

/** What operates the server: liveness, readiness, metrics. */
export function healthRoutes({ pool, config, isReady, metrics }: OperationDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(live, (c) => c.json({ status: 'ok' } as const, 200));

  app.openapi(ready, async (c) => {
    if (!isReady())
      throw new AppError('unavailable', 'This process is starting or draining.', { retryAfterSeconds: 1 });
    const answered = await Promise.race([
      pool`select 1`.then(
        () => true,
        () => false,
      ),
      new Promise<boolean>((resolve) => setTimeout(resolve, DATABASE_DEADLINE_MS, false).unref()),
    ]);
    if (!answered)
      throw new AppError('unavailable', 'The database does not answer.', { retryAfterSeconds: 1 });
    return c.json({ status: 'ok' } as const, 200);
  });

  app.openapi(metricsRoute, async (c) => {
    if (!c.var.isLocal && !isOperator(c, config.adminApiKey)) {
      throw new AppError('forbidden', 'Metrics are for this machine and for ADMIN_API_KEY.');
    }
    return c.text(await metrics.render(), 200, { 'Content-Type': metrics.contentType });
  });

  return app;
}
