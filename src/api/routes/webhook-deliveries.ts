import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Sql } from '../../core/database/connect.ts';
import { EVENT_TYPES } from '../../core/events.ts';
import {
  findDelivery,
  listDeliveries,
  retryDelivery,
  showDelivery,
  skipDelivery,
  testEndpoint,
} from '../../webhooks/deliveries.ts';
import {
  DELIVERY_STATUSES,
  type DeliveryRow,
  deliveryDetailView,
  deliveryView,
  TRIGGERS,
  viewDelivery,
} from '../../webhooks/delivery-view.ts';
import type { EndpointRow } from '../../webhooks/endpoint-view.ts';
import { findEndpoint } from '../../webhooks/endpoints.ts';
import { endpointLane } from '../../webhooks/fanout.ts';
import { OUTCOMES } from '../../webhooks/request.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, timeInQuery, uuid, wholeNumber } from '../validate.ts';

const deliveryParam = idParam.extend({ deliveryId: idParam.shape.id });
const tags = ['Webhooks'];

const logQuery = pageQuery.extend({
  status: z.enum(DELIVERY_STATUSES).optional(),
  event_type: z.enum([...EVENT_TYPES, 'endpoint.test']).optional(),
  event_id: uuid.optional(),
  conversation_id: uuid.optional(),
  trigger: z.enum(TRIGGERS).optional(),
  outcome: z.enum(OUTCOMES).optional().meta({ description: 'What the last try ended with.' }),
  status_code: wholeNumber(100, 999).optional(),
  since: timeInQuery.optional(),
  until: timeInQuery.optional(),
});

const list = createRoute({
  method: 'get',
  path: '/webhook-endpoints/{id}/deliveries',
  tags,
  summary: 'The delivery log of an endpoint, newest first',
  request: { params: idParam, query: logQuery },
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

const skip = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/deliveries/{deliveryId}/skip',
  tags,
  summary: 'Give a delivery up, so that those behind it in an order go on',
  request: { params: deliveryParam },
  responses: { 200: json('The delivery', deliveryView), ...errors },
});

const test = createRoute({
  method: 'post',
  path: '/webhook-endpoints/{id}/test',
  tags,
  summary: 'Send an `endpoint.test` event to the endpoint; its delivery tells the outcome',
  request: { params: idParam },
  responses: { 202: json('The delivery', deliveryView), ...errors },
});

type Change = (tx: Sql, endpoint: EndpointRow) => Promise<DeliveryRow>;

/** What was delivered to an endpoint, and delivering again. */
export function webhookDeliveryRoutes({ pool, secrets, wake }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const { status, event_type, event_id, conversation_id, trigger, since, until } = query;
    const result = { last_outcome: query.outcome, last_status_code: query.status_code };
    const filter = { status, event_type, event_id, conversation_id, trigger, ...result };
    const window = pageWindow(query, secrets, 'deliveries');
    const endpoint = await findEndpoint(pool, c.var.actor.businessId, c.req.valid('param').id);
    const rows = await listDeliveries(pool, endpoint.id, { ...window, filter, since, until });
    const keyOf = (row: DeliveryRow) => [row.created_text, row.id];
    return c.json(page([...rows], { window, secrets, keyOf, view: viewDelivery }), 200);
  });

  app.openapi(get, async (c) => {
    const { id, deliveryId } = c.req.valid('param');
    const endpoint = await findEndpoint(pool, c.var.actor.businessId, id);
    return c.json(await showDelivery(pool, await findDelivery(pool, endpoint.id, deliveryId)), 200);
  });

  app.openapi(retry, async (c) => {
    const { deliveryId } = c.req.valid('param');
    return c.json(await change(c, 200, (tx, endpoint) => retryDelivery(tx, endpoint, deliveryId)), 200);
  });

  app.openapi(skip, async (c) => {
    const { deliveryId } = c.req.valid('param');
    return c.json(await change(c, 200, (tx, endpoint) => skipDelivery(tx, endpoint, deliveryId)), 200);
  });

  app.openapi(test, async (c) => c.json(await change(c, 202, testEndpoint), 202));

  /** Changes what is due to the endpoint of the path, whose lane then looks again. */
  async function change(c: Context<ApiEnv>, status: number, work: Change) {
    const id = (c.req.param('id') ?? '').toLowerCase();
    const answer = await commitAnswer(c, status, async (tx) =>
      viewDelivery(await work(tx, await findEndpoint(tx, c.var.actor.businessId, id))),
    );
    wake.notify('lane', endpointLane(id));
    return answer;
  }

  return app;
}
