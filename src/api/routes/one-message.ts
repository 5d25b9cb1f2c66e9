import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import type { Sql } from '../../core/database/connect.ts';
import { AppError } from '../../core/errors.ts';
import { attemptView, listAttempts } from '../../core/messages/attempts.ts';
import { editSent, removeSent, WAS_SENT, type Wish } from '../../core/messages/change-sent.ts';
import { editScheduled } from '../../core/messages/edit-scheduled.ts';
import { cancelMessage, retryMessage, skipMessage } from '../../core/messages/resend.ts';
import { findMessage, viewOneMessage } from '../../core/messages.ts';
import { type MessageRow, type MessageView, messageView } from '../../core/views/message.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { idParam, time } from '../validate.ts';

const tags = ['Messages'];
const words = z.string().max(100_000);
const answered = { 200: json('The message', messageView), ...errors };

const get = createRoute({
  method: 'get',
  path: '/messages/{id}',
  tags,
  summary: 'A message with every try of sending it',
  request: { params: idParam },
  responses: { 200: json('The message', messageView.extend({ attempts: z.array(attemptView) })), ...errors },
});

const cancel = createRoute({
  method: 'delete',
  path: '/messages/{id}',
  tags,
  summary: 'Cancel what is scheduled or queued; take back what was sent, where the channel can, or a note',
  request: { params: idParam },
  responses: answered,
});

const edit = createRoute({
  method: 'patch',
  path: '/messages/{id}',
  tags,
  summary: 'Change what is scheduled; reword what was sent, where the channel can, or a note',
  request: {
    params: idParam,
    body: body(
      z.object({
        content: words.optional(),
        html: words.nullish(),
        subject: z.string().max(500).optional(),
        cancel_on_reply: z.boolean().optional(),
        send_at: time.nullish().meta({ description: 'A time in the past lets it go at once.' }),
      }),
    ),
  },
  responses: answered,
});

function againRoute(verb: 'retry' | 'skip', summary: string) {
  return createRoute({
    method: 'post',
    path: `/messages/{id}/${verb}`,
    tags,
    summary,
    request: { params: idParam },
    responses: answered,
  });
}

const retry = againRoute('retry', 'Send a failed message again, or a waiting one now');
const skip = againRoute('skip', 'Let later messages pass one that waits for its next try');

/** One message: looking at it, and changing what waits, failed or was sent. */
export function oneMessageRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const { pool, attachments } = deps;

  app.openapi(get, async (c) => {
    const row = await named(c);
    const message = attachments.mintUrls(await viewOneMessage(pool, row));
    return c.json({ ...message, attempts: await listAttempts(pool, row) }, 200);
  });

  function named(c: Context<ApiEnv>): Promise<MessageRow> {
    return findMessage(pool, c.var.actor.businessId, c.req.param('id') ?? '');
  }

  /** Changes what the customer has; the provider is asked before anything is stored. */
  async function changeSent(c: Context<ApiEnv>, work: (wish: Wish) => Promise<MessageRow>) {
    const row = await work({ businessId: c.var.actor.businessId, id: c.req.param('id') ?? '' });
    return c.json(attachments.mintUrls(await viewOneMessage(pool, row)), 200);
  }

  /** Changes the message of the path and answers with it. */
  async function change(
    c: Context<ApiEnv>,
    work: (tx: Sql, businessId: string, id: string) => Promise<MessageRow>,
  ) {
    const answer: MessageView = await commitAnswer(c, 200, async (tx) => {
      const row = await work(tx, c.var.actor.businessId, c.req.param('id') ?? '');
      return attachments.mintUrls(await viewOneMessage(tx, row));
    });
    return c.json(answer, 200);
  }

  app.openapi(edit, async (c) => {
    const { content, html, subject, send_at, cancel_on_reply: cancelOnReply } = c.req.valid('json');
    const sendAt = send_at == null ? undefined : new Date(send_at);
    const patch = { content, html, subject, sendAt, cancelOnReply };
    const message = await named(c);
    if (isWaiting(message))
      return change(c, (tx, businessId, id) => editScheduled(tx, { businessId, id, patch }));
    // What was read may come back with the rest.
    const isOldTime = sendAt === undefined || sendAt.getTime() === message.send_at?.getTime();
    if (!isOldTime || cancelOnReply !== undefined) {
      throw new AppError('conflict', 'Only of a scheduled message the time can be changed.');
    }
    const words = { content, html };
    return changeSent(c, (wish) => editSent(deps, { ...wish, ...words }));
  });
  app.openapi(cancel, async (c) =>
    isWaiting(await named(c)) ? change(c, cancelMessage) : changeSent(c, (wish) => removeSent(deps, wish)),
  );
  app.openapi(retry, (c) => change(c, retryMessage));
  app.openapi(skip, (c) => change(c, skipMessage));
  return app;
}

/** Whether nothing of the message has reached the customer yet. */
function isWaiting({ direction, status }: MessageRow): boolean {
  return direction === 'outbound' && !WAS_SENT.has(status ?? '');
}
