import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import {
  type CannedResponseRow,
  countCannedResponses,
  createCannedResponse,
  listCannedResponses,
} from '../../core/canned-responses.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body } from '../openapi.ts';
import { pageQuery } from '../pagination.ts';
import { cannedFields, cannedResponseInput } from '../routes/canned-responses.ts';
import { errors, succeeds, succeedsPage, success, successPage, tags } from './envelope.ts';

const cannedResponse = z.object({
  id: z.string(),
  title: z.string(),
  shortcut: z.string().nullable(),
  content: z.string(),
  createdAt: z.string(),
});

const list = createRoute({
  method: 'get',
  path: '/canned-responses',
  tags,
  summary: 'List canned responses, oldest first',
  request: { query: pageQuery.omit({ cursor: true }) },
  responses: { 200: succeedsPage('A page of canned responses', cannedResponse), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/canned-responses',
  tags,
  summary: 'Write a canned response',
  request: { body: body(cannedResponseInput) },
  responses: { 201: succeeds('The canned response', cannedResponse), ...errors },
});

/** Canned responses in the support dialect. */
export function supportCannedResponseRoutes({ pool, attachments, egress }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const { limit, page = 1 } = c.req.valid('query');
    const window = { fetch: limit, offset: (page - 1) * limit, after: undefined };
    const { businessId } = c.var.actor;
    const [rows, total] = await Promise.all([
      listCannedResponses(pool, { businessId }, window),
      countCannedResponses(pool, businessId),
    ]);
    return c.json(successPage(rows.map(view), { page, limit, total }), 200);
  });

  app.openapi(create, async (c) => {
    const { businessId } = c.var.actor;
    const fields = cannedFields(c.req.valid('json'));
    const files = { egress, idOfUrl: attachments.idOfUrl };
    const answer = await commitAnswer(c, 201, async (tx) =>
      success(view(await createCannedResponse(tx, { businessId, fields, files }))),
    );
    return c.json(answer, 201);
  });

  return app;
}

function view({ id, title, shortcut, content, created_at }: CannedResponseRow) {
  return { id, title, shortcut, content, createdAt: created_at.toISOString() };
}
