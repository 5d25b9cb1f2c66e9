import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Draft } from '../../core/messages/queue-message.ts';
import type { MessageView } from '../../core/views/message.ts';
import { supportMessageView, viewSupportMessage } from '../../core/views/support.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { body } from '../openapi.ts';
import { idParam } from '../validate.ts';
import { draftOf, messageInput, replyDraft, replyInput } from '../views/message-input.ts';
import { writeMessage } from '../write-message.ts';
import { errors, succeeds, success, tags } from './envelope.ts';

const responses = { 202: succeeds('The message, on its way', supportMessageView), ...errors };

const reply = createRoute({
  method: 'post',
  path: '/conversations/{id}/reply',
  tags,
  summary: 'Reply, or add a note',
  request: {
    params: idParam,
    body: body(replyInput, { message: 'Your order left the warehouse this morning.', type: 'reply' }),
  },
  responses,
});

const post = createRoute({
  method: 'post',
  path: '/conversations/{id}/messages',
  tags,
  summary: 'Send a text, attachments, or a card whose object is the content',
  request: {
    params: idParam,
    body: body(messageInput.pick({ type: true, content: true, attachments: true }), {
      type: 'text',
      content: 'Your order left the warehouse this morning.',
    }),
  },
  responses,
});

/** Writing in the support dialect. */
export function supportMessageRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  async function write(c: Context<ApiEnv>, draft: Draft) {
    const view = (message: MessageView) => success(viewSupportMessage(deps.attachments.mintUrls(message)));
    return c.json(await writeMessage(c, deps, { draft, view }), 202);
  }

  app.openapi(reply, (c) => write(c, replyDraft(c.req.valid('json'))));
  app.openapi(post, (c) => write(c, draftOf(c.req.valid('json'))));
  return app;
}
