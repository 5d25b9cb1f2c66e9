import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import { snooze } from '../../core/conversations/lifecycle.ts';
import { changeTags, patchConversation } from '../../core/conversations/triage.ts';
import {
  type ConversationFilter,
  countConversations,
  findConversation,
  listConversations,
} from '../../core/conversations.ts';
import { assign } from '../../core/team/assign.ts';
import { CONVERSATION_STATUSES, type ConversationRow } from '../../core/views/conversation.ts';
import { supportConversationView } from '../../core/views/support.ts';
import { type Act, act } from '../act.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { body } from '../openapi.ts';
import { pageQuery } from '../pagination.ts';
import { statuses } from '../routes/conversations.ts';
import { tagList } from '../routes/transitions.ts';
import { idParam, time, uuid, wholeNumber } from '../validate.ts';
import { errors, succeeds, succeedsPage, success, successPage, tags } from './envelope.ts';
import { detailView, viewDetail, viewListed, viewOne } from './views.ts';

const listQuery = pageQuery.pick({ limit: true }).extend({
  page: wholeNumber(1, 1_000_000).default(1),
  status: statuses.optional(),
  inboxId: uuid.optional(),
  assigneeId: z.union([z.literal('none'), uuid]).optional(),
  visitorId: uuid.optional(),
});

const list = createRoute({
  method: 'get',
  path: '/conversations',
  tags,
  summary: 'List conversations, newest activity first',
  request: { query: listQuery },
  responses: {
    200: succeedsPage('A page of conversations, without their messages', supportConversationView),
    ...errors,
  },
});

const get = createRoute({
  method: 'get',
  path: '/conversations/{id}',
  tags,
  summary: 'A conversation with its visitor and messages',
  request: { params: idParam },
  responses: { 200: succeeds('The conversation', detailView), ...errors },
});

const about = { tags, responses: { 200: succeeds('The conversation', supportConversationView), ...errors } };

const put = createRoute({
  ...about,
  method: 'put',
  path: '/conversations/{id}',
  summary: 'Set the status; with `snoozed` also `until`',
  request: {
    params: idParam,
    body: body(z.object({ status: z.enum(CONVERSATION_STATUSES), until: time.optional() }), {
      status: 'pending',
    }),
  },
});

function actionRoute<Schema extends z.ZodType>(verb: string, summary: string, schema: Schema) {
  return createRoute({
    ...about,
    method: 'post',
    path: `/conversations/{id}/${verb}`,
    summary,
    request: { params: idParam, body: body(schema) },
  });
}

const assignTo = actionRoute(
  'assign',
  'Assign a conversation, or unassign it with null',
  z.object({ assigneeId: uuid.nullable() }),
);
const snoozeUntil = actionRoute(
  'snooze',
  'Hide a conversation until a time; one that has passed wakes it at once',
  z.object({ until: time }),
);
const addTags = actionRoute('tags', 'Add tags', z.object({ tags: tagList }));
const removeTag = createRoute({
  ...about,
  method: 'delete',
  path: '/conversations/{id}/tags/{tagId}',
  summary: "Remove a tag; its id is the tag's name",
  request: { params: idParam.extend({ tagId: z.string() }) },
});

/** Conversations in the support dialect: reading them, and what happens to them. */
export function supportConversationRoutes({ pool, attachments }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const { page, limit, ...query } = c.req.valid('query');
    const filter = filterOf(query, c.var.actor.businessId);
    const offset = (page - 1) * limit;
    const [rows, total] = await Promise.all([
      listConversations(pool, filter, { fetch: limit, after: undefined, offset }),
      countConversations(pool, filter),
    ]);
    const data = await viewListed(pool, rows);
    return c.json(successPage(data, { page, limit, total }), 200);
  });

  app.openapi(get, async (c) => {
    const conversation = await findConversation(pool, c.var.actor.businessId, c.req.valid('param').id);
    return c.json(success(await viewDetail(pool, conversation, attachments)), 200);
  });

  app.openapi(put, (c) =>
    change(c, (tx, it, by) => {
      const { status, until } = c.req.valid('json');
      const snoozedUntil = until === undefined ? undefined : new Date(until);
      return patchConversation(tx, it, { patch: { status, snoozedUntil }, by });
    }),
  );
  app.openapi(assignTo, (c) =>
    change(c, (tx, it, by) => assign(tx, it, { assigneeId: c.req.valid('json').assigneeId, by })),
  );
  app.openapi(snoozeUntil, (c) =>
    change(c, (tx, it, by) => snooze(tx, it, { until: new Date(c.req.valid('json').until), by })),
  );
  app.openapi(addTags, (c) =>
    change(c, (tx, it, by) => changeTags(tx, it, { add: c.req.valid('json').tags, by })),
  );
  app.openapi(removeTag, (c) =>
    change(c, (tx, it, by) => changeTags(tx, it, { remove: [c.req.valid('param').tagId], by })),
  );
  return app;
}

async function change(c: Context<ApiEnv>, work: Act<ConversationRow>) {
  const answer = await act(c, 200, async (tx, conversation, by) =>
    success(await viewOne(tx, await work(tx, conversation, by))),
  );
  return c.json(answer, 200);
}

type Query = Omit<z.infer<typeof listQuery>, 'page' | 'limit'>;

function filterOf({ status, inboxId, assigneeId, visitorId }: Query, businessId: string): ConversationFilter {
  return {
    businessId,
    status,
    channelId: inboxId,
    assigneeId,
    customerId: visitorId,
    sort: '-last_message_at',
  };
}
