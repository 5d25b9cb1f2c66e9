import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import {
  DELIVERY_STATUSES,
  type DeliveryRow,
  deliveryDetailView,
  deliveryView,
  findDelivery,
  listDeliveries,
  recoverDeliveries,
  retryDelivery,
  showDelivery,
  testEndpoint,
  viewDelivery,
} from '../../webhooks/deliveries.ts';
import { findEndpoint } from '../../webhooks/endpoints.ts';
import { endpointLane } from '../../webhooks/fanout.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, time } from '../validate.ts';

const deliveryParam = idParam.extend({ deliveryId: idParam.shape.id });
const tags = ['Webhooks'];

const list = createRoute({
  method: 'get',
  path: '/webhook-endpoints/{id}/deliveries',
  tags,
  summary: 'The delivery log of an endpoint, newest first',
  request: { params: idParam, query: pageQuery.extend({ status: z.enum(DELIVERY_STATUSES).optional() }) },
  responses: { 200: json('A page of deliveries', pageOf(deliveryView)), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/webhook-endpoints/{id}/deliveries/{deliveryId}',
  tags,
  summary: 'One delivery with what was sent and what came back on each try',
  request: { params: deliveryParam },
  responses: { 200: json('The delivery', deliveryDetailView), ...errors },
});

const retry = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/deliveries/{deliveryId}/retry',
  tags,
  summary: 'Deliver again now, under the same webhook-id',
  request: { params: deliveryParam },
  responses: { 200: json('The delivery, which is due again', deliveryView), ...errors },
});

const recover = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/recover',
  tags,
  summary: 'Deliver again everything of a time that failed or was canceled',
  request: { params: idParam, body: body(z.object({ since: time, until: time.optional() })) },
  responses: {
    200: json('How many are due again', z.object({ recovered: z.number().int() })),
    ...errors,
  },
});

const test = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/test',
  tags,
  summary: 'Send an `endpoint.test` event to the endpoint; its delivery tells the outcome',
  request: { params: idParam },
  responses: { 202: json('The delivery', deliveryView), ...errors },
});

/** What was delivered to an endpoint, and delivering again. */
export function webhookDeliveryRoutes({ pool, secrets, wake }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const window = pageWindow(query, secrets, 2);
    const endpoint = await findEndpoint(pool, c.var.actor.businessId, c.req.valid('param').id);
    const rows = await listDeliveries(pool, { endpointId: endpoint.id, status: query.status }, window);
    const keyOf = (row: DeliveryRow) => [row.created_text, row.id];
    return c.json(page([...rows], { window, secrets, keyOf, view: viewDelivery }), 200);
  });

  app.openapi(get, async (c) => {
    const { id, deliveryId } = c.req.valid('param');
    const endpoint = await findEndpoint(pool, c.var.actor.businessId, id);
    return c.json(await showDelivery(pool, await findDelivery(pool, endpoint.id, deliveryId)), 200);
  });

  app.openapi(retry, async (c) => {
    const { id, deliveryId } = c.req.valid('param');
    const answer = await commitAnswer(c, 200, async (tx) => {
      const endpoint = await findEndpoint(tx, c.var.actor.businessId, id);
      return viewDelivery(await retryDelivery(tx, endpoint, deliveryId));
    });
    wake.notify('lane', endpointLane(id));
    return c.json(answer, 200);
  });

  app.openapi(recover, async (c) => {
    const { id } = c.req.valid('param');
    const { since, until } = c.req.valid('json');
    const answer = await commitAnswer(c, 200, async (tx) => {
      const endpoint = await findEndpoint(tx, c.var.actor.businessId, id);
      const range = { since: new Date(since), until: until === undefined ? new Date() : new Date(until) };
      return { recovered: await recoverDeliveries(tx, endpoint, range) };
    });
    wake.notify('lane', endpointLane(id));
    return c.json(answer, 200);
  });

  app.openapi(test, async (c) => {
    const { id } = c.req.valid('param');
    const answer = await commitAnswer(c, 202, async (tx) => {
      const endpoint = await findEndpoint(tx, c.var.actor.businessId, id);
      return viewDelivery(await testEndpoint(tx, endpoint));
    });
    wake.notify('lane', endpointLane(id));
    return c.json(answer, 202);
  });

  return app;
}
