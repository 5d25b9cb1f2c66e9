import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { lastWroteAt } from '../../core/customers/last-wrote.ts';
import { findCustomer } from '../../core/customers.ts';
import { viewCustomer } from '../../core/views/customer.ts';
import { supportVisitorView, viewSupportVisitor } from '../../core/views/support.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { idParam } from '../validate.ts';
import { errors, succeeds, success, tags } from './envelope.ts';

const get = createRoute({
  method: 'get',
  path: '/visitors/{id}',
  tags,
  summary: 'A visitor: whom the native dialect calls a customer',
  request: { params: idParam },
  responses: { 200: succeeds('The visitor', supportVisitorView), ...errors },
});

/** Visitors in the support dialect. */
export function supportVisitorRoutes({ pool }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(get, async (c) => {
    const { businessId } = c.var.actor;
    const named = await findCustomer(pool, businessId, c.req.valid('param').id);
    // Who was merged goes on as somebody else.
    const customer =
      named.merged_into_id === null ? named : await findCustomer(pool, businessId, named.merged_into_id);
    const lastSeenAt = await lastWroteAt(pool, customer.id);
    return c.json(success(viewSupportVisitor(viewCustomer(customer), lastSeenAt)), 200);
  });

  return app;
}
