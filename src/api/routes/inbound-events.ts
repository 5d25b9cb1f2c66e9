import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { audit } from '../../core/audit.ts';
import {
  findInboundRequest,
  INBOUND_STATUSES,
  type InboundRequestRow,
  type ListedInboundRequest,
  listInboundRequests,
} from '../../core/inbound-requests.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, uuid } from '../validate.ts';

const inboundEvent = z
  .object({
    id: z.string(),
    channel_id: z.string(),
    customer_id: z.string().nullable(),
    status: z.enum(INBOUND_STATUSES),
    reason: z.string().nullable(),
    received_at: z.string(),
  })
  .meta({ id: 'InboundEvent' });

const wholeInboundEvent = inboundEvent.extend({
  headers: z.record(z.string(), z.string()),
  body: z
    .string()
    .nullable()
    .meta({ description: 'The raw body as text; null once its customer was erased.' }),
  body_base64: z.string().nullable().meta({ description: 'The same bytes, for bodies that are no text.' }),
});

const replayed = z.object({
  data: z.array(
    z.object({
      duplicate: z.boolean(),
      message_id: z.string().nullable(),
      conversation_id: z.string().nullable(),
    }),
  ),
});

const tags = ['Inbound events'];

const list = createRoute({
  method: 'get',
  path: '/inbound-events',
  tags,
  summary: 'List what providers sent us',
  request: {
    query: pageQuery.extend({ status: z.enum(INBOUND_STATUSES).optional(), channel_id: uuid.optional() }),
  },
  responses: { 200: json('A page of requests, newest first', pageOf(inboundEvent)), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/inbound-events/{id}',
  tags,
  summary: 'Get one request with its raw body; the look is audited',
  request: { params: idParam },
  responses: { 200: json('The request', wholeInboundEvent), ...errors },
});

const replay = createRoute({
  method: 'post',
  path: '/inbound-events/{id}/replay',
  tags,
  summary: 'Receive a request again, as it is understood today',
  request: { params: idParam },
  responses: { 200: json('What became of each item', replayed), ...errors },
});

/** What providers sent us, kept raw. */
export function inboundEventRoutes({ pool, secrets, receiver }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const window = pageWindow(query, secrets, 'inbound-events');
    const { businessId } = c.var.actor;
    const options = { businessId, status: query.status, channelId: query.channel_id, page: window };
    const rows = await listInboundRequests(pool, options);
    const keyOf = (row: ListedInboundRequest) => [row.received_text, row.id];
    return c.json(page(rows, { window, secrets, keyOf, view: viewListed }), 200);
  });

  app.openapi(get, async (c) => {
    const { actor } = c.var;
    const row = await findInboundRequest(pool, actor.businessId, c.req.valid('param').id);
    await audit(pool, actor, { action: 'inbound_request.viewed', subjectId: row.id });
    return c.json(viewWhole(row), 200);
  });

  app.openapi(replay, async (c) => {
    const { actor } = c.var;
    const { id } = c.req.valid('param');
    const accepted = await receiver.replay(actor.businessId, id);
    await audit(pool, actor, { action: 'inbound_request.replayed', subjectId: id });
    const data = accepted.map(({ duplicate, messageId, conversationId }) => {
      return { duplicate, message_id: messageId ?? null, conversation_id: conversationId ?? null };
    });
    return c.json({ data }, 200);
  });

  return app;
}

function viewListed(row: Omit<ListedInboundRequest, 'received_text'>): z.infer<typeof inboundEvent> {
  return {
    id: row.id,
    channel_id: row.channel_id,
    customer_id: row.customer_id,
    status: row.status,
    reason: row.reason,
    received_at: row.received_at.toISOString(),
  };
}

function viewWhole(row: InboundRequestRow): z.infer<typeof wholeInboundEvent> {
  return {
    ...viewListed(row),
    headers: row.headers,
    body: row.body?.toString('utf8') ?? null,
    body_base64: row.body?.toString('base64') ?? null,
  };
}
