import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { mergeCustomer, moveLeftovers } from '../../core/customers/merge-customers.ts';
import { unmergeCustomer } from '../../core/customers/unmerge-customers.ts';
import { untilRunningEnd } from '../../core/database/running.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { idParam, uuid } from '../validate.ts';
import { customerDetail, viewCustomerDetail } from '../views/customer-detail.ts';

const about = {
  path: '/customers/{id}/merge',
  tags: ['Customers'],
  responses: { 200: json('The customer', customerDetail), ...errors },
};

const merge = createRoute({
  ...about,
  method: 'post',
  summary: 'Merge another customer into this one',
  description:
    'Addresses and conversations of `from` become this customer’s, and what this one lacks (a name, an attribute) is taken over. `from` stays readable, with `merged_into_id`, until the merge is undone.',
  request: { params: idParam, body: body(z.object({ from: uuid })) },
});

const unmerge = createRoute({
  ...about,
  method: 'delete',
  summary: 'Undo the merge of a customer: `id` is the one that was merged',
  request: { params: idParam },
});

/** Customers who turn out to be one person, and who turn out not to be. */
export function customerMergeRoutes({ pool, transact, wake }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(merge, async (c) => {
    const { actor } = c.var;
    const what = {
      businessId: actor.businessId,
      id: c.req.valid('param').id,
      by: actor,
      ...c.req.valid('json'),
    };
    const answer = await commitAnswer(c, 200, async (tx) =>
      viewCustomerDetail(tx, await mergeCustomer(tx, what)),
    );
    // A message that was coming in may have been read as the other customer's.
    await untilRunningEnd(pool);
    await transact((tx) => moveLeftovers(tx, what));
    wake.notify('blocked');
    return c.json(answer, 200);
  });

  app.openapi(unmerge, async (c) => {
    const { actor } = c.var;
    const what = { businessId: actor.businessId, id: c.req.valid('param').id, by: actor };
    const answer = await c.var.transact(async (tx) =>
      viewCustomerDetail(tx, await unmergeCustomer(tx, what)),
    );
    wake.notify('blocked');
    return c.json(answer, 200);
  });

  return app;
}
