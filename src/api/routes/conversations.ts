import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { refuseUnknownType } from '../../core/channels/channel-type.ts';
import { chooseChannel } from '../../core/channels/default-channel.ts';
import { learnTemplate } from '../../core/channels/templates.ts';
import type { LoadedChannel } from '../../core/channels.ts';
import { type Start, startConversation } from '../../core/conversations/start-conversation.ts';
import { type ConversationPatch, patchConversation } from '../../core/conversations/triage.ts';
import {
  CONVERSATION_SORTS,
  type ConversationFilter,
  findConversation,
  type ListedConversation,
  listConversations,
} from '../../core/conversations.ts';
import { invalidField } from '../../core/errors.ts';
import { authorOf } from '../../core/messages/author.ts';
import type { Draft } from '../../core/messages/queue-message.ts';
import { templateInput } from '../../core/template.ts';
import {
  CONVERSATION_STATUSES,
  conversationView,
  PRIORITIES,
  viewConversation,
} from '../../core/views/conversation.ts';
import { act } from '../act.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { channelType, flag, idParam, time, timeInQuery, uuid, wholeNumber } from '../validate.ts';
import { conversationDetail, viewDetail, viewWithCustomer } from '../views/conversation-detail.ts';
import { knownByOf, knownByQuery } from '../views/known-by.ts';
import { attachmentsInput, draftOf } from '../views/message-input.ts';

export const statuses = z
  .string()
  .transform((text) => text.split(','))
  .pipe(z.array(z.enum(CONVERSATION_STATUSES)))
  .meta({ description: 'One status, or several with commas.' });

const listQuery = pageQuery.extend({
  status: statuses.optional(),
  assignee_id: z.union([z.literal('none'), uuid]).optional(),
  channel_id: uuid.optional(),
  channel_type: channelType.optional(),
  customer_id: uuid.optional(),
  ...knownByQuery,
  tag: z.string().optional(),
  needs_human_handoff: flag.optional(),
  q: z.string().trim().min(1).max(200).optional().meta({
    description:
      "In the customer's name, email and phone, the subject, and what `/search` finds: texts, tags and attributes, the newest 200. One or two letters are looked for where words of the former begin and end.",
  }),
  created_after: timeInQuery.optional(),
  created_before: timeInQuery.optional(),
  updated_since: timeInQuery.optional(),
  include: z
    .enum(['merged'])
    .optional()
    .meta({ description: 'Those too that were merged into another one.' }),
  sort: z.enum(CONVERSATION_SORTS).default('-last_message_at'),
});

const list = createRoute({
  method: 'get',
  path: '/conversations',
  tags: ['Conversations'],
  summary: 'List conversations, newest activity first',
  request: { query: listQuery },
  responses: { 200: json('A page of conversations', pageOf(conversationView)), ...errors },
});

const newConversation = z.object({
  business_id: uuid,
  customer_id: uuid.nullish(),
  channel_id: z.string().nullish().meta({ description: "Without it the business's default channel." }),
  initial_message: z.string().max(100_000).nullish(),
  template: templateInput.nullish().meta({
    description:
      'An approved template instead of `initial_message`; `attachments` then hold the file of its header.',
  }),
  attachments: attachmentsInput.nullish(),
  subject: z.string().max(500).nullish(),
  assignee_id: uuid.nullish(),
});

const create = createRoute({
  method: 'post',
  path: '/conversations',
  tags: ['Conversations'],
  summary: 'Open a conversation from our side',
  request: {
    body: body(newConversation, {
      business_id: '01a1fcd1-690f-71ab-9bbe-c266dd213681',
      customer_id: '01a1fcd2-0f3e-7a11-8d0b-3f8a4c6e9b21',
      initial_message: 'Your order left the warehouse this morning.',
      subject: 'Order 4711',
    }),
  },
  responses: { 201: json('The new conversation', conversationDetail), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/conversations/{id}',
  tags: ['Conversations'],
  summary: 'A conversation with its customer, participants and messages',
  request: {
    params: idParam,
    query: z.object({
      messages: wholeNumber(0).optional().meta({ description: 'Only so many of the newest.' }),
    }),
  },
  responses: { 200: json('The conversation', conversationDetail), ...errors },
});

const changes = z.object({
  status: z.enum(CONVERSATION_STATUSES).optional(),
  snoozed_until: time.nullish().meta({ description: 'With status snoozed.' }),
  priority: z.enum(PRIORITIES).nullable().optional(),
  subject: z.string().max(500).nullable().optional(),
  custom_attributes: z
    .record(z.string().min(1).max(100), z.unknown())
    .optional()
    .meta({ description: 'Merged into what is there; null takes one away.' }),
  customer_id: uuid.nullish().meta({ description: 'While the conversation has no customer.' }),
});

function changeRoute<Method extends 'patch' | 'put'>(method: Method) {
  return createRoute({
    method,
    path: '/conversations/{id}',
    tags: ['Conversations'],
    summary: 'Change a conversation; a status does what its own route does',
    request: {
      params: idParam,
      body: body(changes, { priority: 'high', subject: 'Order 4711' }),
    },
    responses: { 200: json('The conversation', conversationView), ...errors },
  });
}

/** Conversations: listing, opening, reading, changing. */
export function conversationRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  const { pool, secrets, attachments } = deps;

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const window = pageWindow(query, secrets, `conversations ${query.sort}`);
    refuseUnknownType(deps.registry, query.channel_type);
    const rows = await listConversations(pool, filterOf(query, c.var.actor.businessId), window);
    const view = (row: ListedConversation) => viewConversation(row.conversation, row.customer);
    return c.json(page(rows, { window, secrets, keyOf: (row) => row.key, view }), 200);
  });

  app.openapi(create, async (c) => {
    const { actor } = c.var;
    const input = c.req.valid('json');
    if (input.business_id !== actor.businessId) throw invalidField('business_id', 'is not your business');
    const wanted = { businessId: actor.businessId, channelId: input.channel_id ?? undefined };
    if (input.template) {
      const { row } = await chooseChannel(pool, deps.channels, wanted);
      await learnTemplate(deps, row.id, input.template);
    }
    const answer = await commitAnswer(c, 201, async (tx) => {
      const channel = await chooseChannel(tx, deps.channels, wanted);
      const by = await authorOf(tx, actor);
      const started = await startConversation(tx, { start: startOf(input, channel), by, ...deps });
      return viewDetail(tx, started, deps);
    });
    return c.json(answer, 201);
  });

  app.openapi(get, async (c) => {
    const conversation = await findConversation(pool, c.var.actor.businessId, c.req.valid('param').id);
    const newest = c.req.valid('query').messages;
    return c.json(await viewDetail(pool, conversation, { attachments, newest }), 200);
  });

  for (const method of ['patch', 'put'] as const) {
    app.openapi(changeRoute(method), async (c) => {
      const patch = patchOf(c.req.valid('json'));
      const answer = await act(c, 200, async (tx, before, by) =>
        viewWithCustomer(tx, await patchConversation(tx, before, { patch, by })),
      );
      return c.json(answer, 200);
    });
  }

  return app;
}

function filterOf(query: z.infer<typeof listQuery>, businessId: string): ConversationFilter {
  return {
    businessId,
    status: query.status,
    assigneeId: query.assignee_id,
    channelId: query.channel_id,
    channelType: query.channel_type,
    customerId: query.customer_id,
    customer: knownByOf(query),
    tag: query.tag,
    needsHumanHandoff: query.needs_human_handoff,
    q: query.q,
    createdAfter: query.created_after,
    createdBefore: query.created_before,
    updatedSince: query.updated_since,
    includeMerged: query.include === 'merged',
    sort: query.sort,
  };
}

function startOf(input: z.infer<typeof newConversation>, channel: LoadedChannel): Start {
  return {
    channel,
    customerId: input.customer_id ?? undefined,
    subject: input.subject ?? undefined,
    assigneeId: input.assignee_id ?? undefined,
    draft: firstDraft(input),
  };
}

function firstDraft({
  initial_message,
  template,
  attachments,
}: z.infer<typeof newConversation>): Draft | undefined {
  const content = initial_message?.trim() === '' ? undefined : (initial_message ?? undefined);
  if (content === undefined && !template && !attachments) return undefined;
  return draftOf({
    ...(content === undefined ? {} : { content: initial_message ?? '' }),
    ...(template ? { template } : {}),
    ...(attachments ? { attachments } : {}),
  });
}

type Changes = z.infer<typeof changes>;

function patchOf(input: Changes): ConversationPatch {
  return {
    status: input.status,
    snoozedUntil: typeof input.snoozed_until === 'string' ? new Date(input.snoozed_until) : undefined,
    priority: input.priority,
    subject: input.subject,
    customAttributes: input.custom_attributes,
    customerId: input.customer_id ?? undefined,
  };
}
