import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { z } from 'zod';
import { AGENT_SIDE } from '../../core/attachments/uploads.ts';
import { chooseChannel } from '../../core/channels/default-channel.ts';
import { learnTemplate } from '../../core/channels/templates.ts';
import { writeToAddress } from '../../core/conversations/start-conversation.ts';
import { findConversation } from '../../core/conversations.ts';
import { invalidField } from '../../core/errors.ts';
import { authorOf } from '../../core/messages/author.ts';
import type { Draft } from '../../core/messages/queue-message.ts';
import { listMessages } from '../../core/messages.ts';
import { messageView } from '../../core/views/message.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { type PageWindow, pageOf, pageQuery, pageWindow, sealCursor } from '../pagination.ts';
import { keepUpload, uploadBody, uploaded } from '../upload.ts';
import { idParam, maybe, wholeNumber } from '../validate.ts';
import { draftOf, messageInput, replyDraft, replyInput } from '../views/message-input.ts';
import { writeMessage } from '../write-message.ts';
import { customerInput } from './customers.ts';

const tags = ['Messages'];
const queued = { 202: json('The message, on its way', messageView), ...errors };
const seq = wholeNumber(0);

const listQuery = pageQuery.extend({
  after_seq: seq.optional(),
  before_seq: seq.optional().meta({ description: 'Alone: the last messages before it, still oldest first.' }),
  include: z.enum(['activity']).optional().meta({ description: 'Lines of the timeline too.' }),
});

const list = createRoute({
  method: 'get',
  path: '/conversations/{id}/messages',
  tags,
  summary: 'Messages of a conversation, oldest first',
  request: {
    params: idParam,
    query: listQuery,
  },
  responses: { 200: json('A page of messages', pageOf(messageView)), ...errors },
});

const post = createRoute({
  method: 'post',
  path: '/conversations/{id}/messages',
  tags,
  summary: 'Write to the customer, or a note to the team',
  request: {
    params: idParam,
    body: body(messageInput, { content: 'Your order left the warehouse this morning.' }),
  },
  responses: queued,
});

const reply = createRoute({
  method: 'post',
  path: '/conversations/{id}/reply',
  tags,
  summary: 'Reply, or add a note',
  request: {
    params: idParam,
    body: body(replyInput, { message: 'Your order left the warehouse this morning.', type: 'reply' }),
  },
  responses: queued,
});

const upload = createRoute({
  method: 'post',
  path: '/conversations/{id}/upload',
  tags,
  summary: 'Upload a file to put in a message',
  request: {
    params: idParam,
    body: uploadBody,
  },
  responses: {
    201: json('Where it is; put its `url` or `id` into `attachments` of one message within a day', uploaded),
    ...errors,
  },
});

const toAddress = createRoute({
  method: 'post',
  path: '/messages',
  tags,
  summary: 'Write to an address in one call',
  request: {
    body: body(
      messageInput.extend({
        channel_id: z.string(),
        to: z.string().trim().min(1).max(320),
        customer: maybe(customerInput).meta({
          description: 'Who it is, when nobody is known at the address yet.',
        }),
      }),
      {
        channel_id: '01a1fcd1-8b4f-72f6-85bd-9d6a7784f1d6',
        to: '+4915112345678',
        content: 'Your order left the warehouse this morning.',
        customer: { name: 'Ada Lovelace' },
      },
    ),
  },
  responses: queued,
});

/** The messages of a conversation: reading and writing them. */
export function messageRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const { pool, secrets, attachments } = deps;

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const { id } = await findConversation(pool, c.var.actor.businessId, c.req.valid('param').id);
    const window = pageWindow(query, secrets, 'messages');
    const page = wantedPage(query, window);
    const { messages, hasMore } = await listMessages(pool, id, page);
    const last = messages.at(-1)?.seq;
    const isForward = page.beforeSeq === undefined || page.afterSeq !== undefined;
    const next_cursor = hasMore && isForward ? sealCursor(window, secrets, [String(last)]) : null;
    return c.json(
      { data: messages.map((one) => attachments.mintUrls(one)), meta: { next_cursor, has_more: hasMore } },
      200,
    );
  });

  /** Queues the draft in the conversation of the path. */
  async function write(c: Context<ApiEnv>, draft: Draft) {
    if (draft.template !== undefined) {
      const { channel_id } = await findConversation(pool, c.var.actor.businessId, c.req.param('id') ?? '');
      await learnTemplate(deps, channel_id, draft.template);
    }
    return c.json(await writeMessage(c, deps, { draft, view: attachments.mintUrls }), 202);
  }

  app.openapi(post, (c) => write(c, draftOf(c.req.valid('json'))));

  app.openapi(reply, (c) => write(c, replyDraft(c.req.valid('json'))));

  app.openapi(upload, async (c) => {
    const { businessId } = c.var.actor;
    const { id: conversationId } = await findConversation(pool, businessId, c.req.valid('param').id);
    const owner = { businessId, conversationId, uploadedBy: AGENT_SIDE, transact: c.var.transact };
    return c.json(await keepUpload(c, attachments, owner), 201);
  });

  app.openapi(toAddress, async (c) => {
    const { actor } = c.var;
    const input = c.req.valid('json');
    const draft = draftOf(input);
    if (draft.note === true) throw invalidField('type', 'a note is written to no address');
    const wanted = { businessId: actor.businessId, channelId: input.channel_id };
    if (draft.template !== undefined) {
      const { row } = await chooseChannel(pool, deps.channels, wanted);
      await learnTemplate(deps, row.id, draft.template);
    }
    const answer = await commitAnswer(c, 202, async (tx) => {
      const channel = await chooseChannel(tx, deps.channels, wanted);
      const address = { channel, to: input.to, customer: input.customer ?? {}, draft };
      const message = await writeToAddress(tx, { address, by: await authorOf(tx, actor), ...deps });
      return attachments.mintUrls(message);
    });
    return c.json(answer, 202);
  });

  return app;
}

function wantedPage(query: z.infer<typeof listQuery>, { after, offset }: PageWindow) {
  const [seq] = after ?? [];
  return {
    afterSeq: seq === undefined ? query.after_seq : Number(seq),
    beforeSeq: query.before_seq,
    limit: query.limit,
    offset,
    activity: query.include === 'activity',
  };
}
