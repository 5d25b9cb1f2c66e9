import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { AGENT_SIDE } from '../../core/attachments/uploads.ts';
import type { Attachments } from '../../core/attachments.ts';
import {
  type CannedResponseFields,
  type CannedResponseRow,
  changeCannedResponse,
  createCannedResponse,
  findCannedResponse,
  listCannedResponses,
  removeCannedResponse,
} from '../../core/canned-responses.ts';
import { namedConversation } from '../../core/conversations.ts';
import { authorOf } from '../../core/messages/author.ts';
import { fillIn, valuesOf } from '../../core/placeholders.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { keepUpload, uploadBody, uploaded } from '../upload.ts';
import { idParam, uuid } from '../validate.ts';
import { attachmentsInput, draftAttachments } from '../views/message-input.ts';

const file = z.object({
  id: z.string().nullable().meta({ description: 'Null for one that is elsewhere.' }),
  url: z.string(),
  name: z.string().nullable(),
  type: z.string().nullable(),
  size: z.number().int().nullable(),
});

const cannedResponse = z
  .object({
    id: z.string(),
    title: z.string(),
    shortcut: z.string().nullable(),
    content: z.string(),
    attachments: z.array(file),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'CannedResponse' });

/** What a canned response is written with, in either dialect. */
export const cannedResponseInput = z.object({
  title: z.string().trim().min(1).max(200),
  shortcut: z
    .string()
    // One keyboard puts an accent into a letter, another behind it.
    .normalize()
    .regex(/^\/?[^\s/\u00ad\u200b\u2060\ufeff]{1,50}$/, 'must be one word, like /hello')
    .nullable()
    .optional()
    .meta({ description: 'Unique in the business; capitals and the slash make no difference.' }),
  content: z
    .string()
    .max(10_000)
    .refine((text) => text.trim() !== '', 'says nothing')
    .meta({ description: 'With variables such as `{{visitor.name}}` or `{{visitor.plan | your}}`.' }),
  attachments: attachmentsInput
    .optional()
    .meta({ description: 'Addresses: what an upload answered, or any public http(s) address.' }),
});

const tags = ['Canned responses'];
const answered = { 200: json('The canned response', cannedResponse), ...errors };

const list = createRoute({
  method: 'get',
  path: '/canned-responses',
  tags,
  summary: 'List the canned responses of the business',
  request: {
    query: pageQuery.extend({
      q: z.string().max(200).optional().meta({ description: 'A part of the title, shortcut or text.' }),
      shortcut: z.string().normalize().max(60).optional(),
    }),
  },
  responses: { 200: json('A page of canned responses, oldest first', pageOf(cannedResponse)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/canned-responses',
  tags,
  summary: 'Write a canned response',
  request: { body: body(cannedResponseInput) },
  responses: { 201: json('The canned response', cannedResponse), ...errors },
});

const upload = createRoute({
  method: 'post',
  path: '/canned-responses/upload',
  tags,
  summary: 'Upload a file to put in a canned response',
  request: { body: uploadBody },
  responses: {
    201: json('Where it is; put its `url` or `id` into `attachments` of one within a day', uploaded),
    ...errors,
  },
});

const get = createRoute({
  method: 'get',
  path: '/canned-responses/{id}',
  tags,
  summary: 'Get a canned response',
  request: { params: idParam },
  responses: answered,
});

const patch = createRoute({
  method: 'patch',
  path: '/canned-responses/{id}',
  tags,
  summary: 'Change a canned response',
  request: { params: idParam, body: body(cannedResponseInput.partial()) },
  responses: answered,
});

const remove = createRoute({
  method: 'delete',
  path: '/canned-responses/{id}',
  tags,
  summary: 'Delete a canned response; messages that it was put into stay as they are',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, ...errors },
});

const render = createRoute({
  method: 'post',
  path: '/canned-responses/{id}/render',
  tags,
  summary: 'Fill a canned response in for a conversation',
  description: 'Sends nothing: `content` and `attachments` may be edited, and go into a message as they are.',
  request: { params: idParam, body: body(z.object({ conversation_id: uuid })) },
  responses: {
    200: json(
      'What to write',
      z.object({
        content: z.string(),
        attachments: z.array(file),
        missing: z
          .array(z.string())
          .meta({ description: 'Variables that had no value, and no text for that case.' }),
      }),
    ),
    ...errors,
  },
});

/** Answers that are written once and used often. */
export function cannedResponseRoutes({ pool, secrets, attachments, egress }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const files = { egress, idOfUrl: attachments.idOfUrl };
  const view = (row: CannedResponseRow) => viewCannedResponse(row, attachments);

  app.openapi(list, async (c) => {
    const { q, shortcut, ...query } = c.req.valid('query');
    const window = pageWindow(query, secrets, 'canned-responses');
    const rows = await listCannedResponses(pool, { businessId: c.var.actor.businessId, q, shortcut }, window);
    return c.json(page([...rows], { window, secrets, keyOf: (row) => [row.id], view }), 200);
  });

  app.openapi(create, async (c) => {
    const fields = cannedFields(c.req.valid('json'));
    const { businessId } = c.var.actor;
    const answer = await commitAnswer(c, 201, async (tx) =>
      view(await createCannedResponse(tx, { businessId, fields, files })),
    );
    return c.json(answer, 201);
  });

  app.openapi(upload, async (c) => {
    const owner = {
      businessId: c.var.actor.businessId,
      conversationId: null,
      uploadedBy: AGENT_SIDE,
      transact: c.var.transact,
    };
    return c.json(await keepUpload(c, attachments, owner), 201);
  });

  app.openapi(get, async (c) =>
    c.json(view(await findCannedResponse(pool, c.var.actor.businessId, c.req.valid('param').id)), 200),
  );

  app.openapi(patch, async (c) => {
    const fields = cannedFields(c.req.valid('json'));
    const change = { businessId: c.var.actor.businessId, id: c.req.valid('param').id, fields, files };
    return c.json(await c.var.transact(async (tx) => view(await changeCannedResponse(tx, change))), 200);
  });

  app.openapi(remove, async (c) => {
    await c.var.transact((tx) => removeCannedResponse(tx, c.var.actor.businessId, c.req.valid('param').id));
    return c.body(null, 204);
  });

  app.openapi(render, async (c) => {
    const { businessId } = c.var.actor;
    const row = await findCannedResponse(pool, businessId, c.req.valid('param').id);
    const conversation = await namedConversation(pool, businessId, c.req.valid('json').conversation_id);
    const values = await valuesOf(pool, conversation, await authorOf(pool, c.var.actor));
    const { text, missing } = fillIn(row.content, values);
    return c.json({ content: text, attachments: view(row).attachments, missing }, 200);
  });

  return app;
}

/** The fields of a request as core takes them. */
export function cannedFields<Input extends Pick<z.infer<typeof cannedResponseInput>, 'attachments'>>({
  attachments,
  ...fields
}: Input): Omit<Input, 'attachments'> & Pick<CannedResponseFields, 'attachments'> {
  return attachments === undefined ? fields : { ...fields, attachments: draftAttachments(attachments) };
}

function viewCannedResponse(
  row: CannedResponseRow,
  { url }: Pick<Attachments, 'url'>,
): z.infer<typeof cannedResponse> {
  return {
    id: row.id,
    title: row.title,
    shortcut: row.shortcut,
    content: row.content,
    attachments: row.attachments.map(({ name, type, size, ...where }) =>
      'id' in where
        ? { id: where.id, url: url(where.id), name, type, size }
        : { id: null, url: where.url, name, type, size },
    ),
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}
