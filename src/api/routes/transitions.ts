import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import { requestHandoff } from '../../core/conversations/handoff.ts';
import { changeStatus, snooze } from '../../core/conversations/lifecycle.ts';
import { showRead } from '../../core/conversations/show-read.ts';
import { changeTags, markRead, markUnread } from '../../core/conversations/triage.ts';
import { AppError } from '../../core/errors.ts';
import { assign, isAssignee } from '../../core/team/assign.ts';
import { type ConversationRow, conversationView } from '../../core/views/conversation.ts';
import { type Act, act } from '../act.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { body, errors, json } from '../openapi.ts';
import { optionalBody } from '../optional-body.ts';
import { idParam, time, uuid } from '../validate.ts';
import { viewWithCustomer } from '../views/conversation-detail.ts';

const answers = { 200: json('The whole conversation', conversationView), ...errors };
const about = { tags: ['Conversations'], responses: answers };
export const tagList = z.array(z.string().trim().min(1).max(100)).min(1).max(50);

function statusRoute(verb: string, summary: string) {
  return createRoute({
    ...about,
    method: 'put',
    path: `/conversations/{id}/${verb}`,
    summary,
    request: { params: idParam },
  });
}

function actionRoute<Schema extends z.ZodType>(verb: string, summary: string, schema: Schema) {
  return createRoute({
    ...about,
    method: 'post',
    path: `/conversations/{id}/${verb}`,
    summary,
    request: { params: idParam, body: body(schema) },
  });
}

/** One that can do without its body. */
function bareActionRoute<Schema extends z.ZodType>(verb: string, summary: string, schema: Schema) {
  return createRoute({
    ...about,
    method: 'post',
    path: `/conversations/{id}/${verb}`,
    summary,
    request: { params: idParam, body: optionalBody(schema) },
  });
}

const resolve = statusRoute('resolve', 'Resolve a conversation');
const close = statusRoute('close', 'Close a conversation');
const reopen = statusRoute('reopen', 'Reopen a conversation');
const assignPath = createRoute({
  ...about,
  method: 'put',
  path: '/conversations/{id}/assign/{agent_id}',
  summary: 'Assign a conversation to an agent or a team',
  request: { params: idParam.extend({ agent_id: idParam.shape.id }) },
});
const assignBody = actionRoute(
  'assign',
  'Assign a conversation to an agent or a team, or unassign it with null',
  z.object({ assignee_id: uuid.nullable() }),
);
const snoozeBody = actionRoute(
  'snooze',
  'Hide a conversation until a time; one that has passed wakes it at once',
  z.object({ until: time }),
);
const addTags = actionRoute('tags', 'Add tags', z.object({ tags: tagList }));
const removeTag = createRoute({
  ...about,
  method: 'delete',
  path: '/conversations/{id}/tags/{tag}',
  summary: 'Remove a tag',
  request: { params: idParam.extend({ tag: z.string() }) },
});
const handoff = bareActionRoute(
  'handoff',
  'Ask for a person to take over',
  z.object({ reason: z.string().trim().min(1).max(1_000).nullish() }),
);
const read = bareActionRoute(
  'read',
  'Note how far agents have read; without a seq, everything',
  z.object({ up_to_seq: z.number().int().nonnegative().optional() }),
);
const unread = bareActionRoute(
  'unread',
  'Make unread again what the customer wrote from a seq on; without one, their last message',
  z.object({ from_seq: z.number().int().positive().optional() }),
);
/** What happens to a conversation: each answers with the whole of it, and one that already happened changes nothing. */
export function transitionRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(resolve, (c) => transition(c, (tx, it, by) => changeStatus(tx, it, { to: 'resolved', by })));
  app.openapi(close, (c) => transition(c, (tx, it, by) => changeStatus(tx, it, { to: 'closed', by })));
  app.openapi(reopen, (c) => transition(c, (tx, it, by) => changeStatus(tx, it, { to: 'open', by })));

  app.openapi(assignPath, (c) =>
    transition(c, async (tx, it, by) => {
      const assigneeId = c.req.valid('param').agent_id;
      if (!(await isAssignee(tx, it.business_id, assigneeId)))
        throw new AppError('not_found', 'There is no such agent or team.');
      return assign(tx, it, { assigneeId, by });
    }),
  );
  app.openapi(assignBody, (c) =>
    transition(c, (tx, it, by) => assign(tx, it, { assigneeId: c.req.valid('json').assignee_id, by })),
  );
  app.openapi(snoozeBody, (c) =>
    transition(c, (tx, it, by) => snooze(tx, it, { until: new Date(c.req.valid('json').until), by })),
  );
  app.openapi(addTags, (c) =>
    transition(c, (tx, it, by) => changeTags(tx, it, { add: c.req.valid('json').tags, by })),
  );
  app.openapi(removeTag, (c) =>
    transition(c, (tx, it, by) => changeTags(tx, it, { remove: [c.req.valid('param').tag], by })),
  );
  app.openapi(handoff, (c) =>
    transition(c, (tx, it, by) => requestHandoff(tx, it, { reason: c.req.valid('json').reason ?? null, by })),
  );
  app.openapi(read, async (c) => {
    const upToSeq = c.req.valid('json').up_to_seq;
    const answer = await transition(c, (tx, it, by) => markRead(tx, it, { upToSeq, by }));
    void showRead(deps, c.req.valid('param').id);
    return answer;
  });

  app.openapi(unread, (c) =>
    transition(c, (tx, it, by) => markUnread(tx, it, { fromSeq: c.req.valid('json').from_seq, by })),
  );

  return app;
}

async function transition(c: Context<ApiEnv>, work: Act<ConversationRow>) {
  const answer = await act(c, 200, async (tx, conversation, by) =>
    viewWithCustomer(tx, await work(tx, conversation, by)),
  );
  return c.json(answer, 200);
}
