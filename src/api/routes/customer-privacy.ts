import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { eraseCustomer } from '../../core/erase-customer.ts';
import { sweepErasure } from '../../core/erasure/sweep.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors } from '../openapi.ts';
import { idParam, refuseInvalid } from '../validate.ts';

const tags = ['Customers'];

const erase = createRoute({
  method: 'delete',
  path: '/customers/{id}',
  tags,
  summary: 'Erase a person',
  description:
    'What they wrote, what was written to them, their addresses, files, events, deliveries and raw requests are gone for good, with those of everybody who was merged into them. Their conversations are closed and keep only what counts: times, numbers, who answered.',
  request: { params: idParam },
  responses: {
    204: { description: 'Nothing is left of them' },
    202: { description: 'They are erased; old events and raw requests are still being searched' },
    ...errors,
  },
});

const PATIENCE_MS = 20_000;

/** What a person may ask of those who keep something of them. */
export function customerPrivacyRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool, transact, attachments, wake, log } = deps;
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });

  app.openapi(erase, async (c) => {
    const { id } = c.req.valid('param');
    await c.var.transact((tx) => eraseCustomer(tx, c.var.actor, id));
    wake.notify('session');
    wake.notify('blocked');
    const swept = sweepErasure({ pool, transact, files: attachments.files }, id).then(
      () => true,
      (error: unknown) => {
        log.warn({ err: error, customer: id }, 'sweeping an erasure failed; it is tried again');
        return false;
      },
    );
    const isDone = await Promise.race([swept, sleep(PATIENCE_MS, false, { ref: false })]);
    return c.body(null, isDone ? 204 : 202);
  });

  return app;
}
