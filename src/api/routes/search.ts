import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import type { Pool } from '../../core/database/connect.ts';
import { fold } from '../../core/search/fold.ts';
import { type Hit, search } from '../../core/search/search.ts';
import { CONVERSATION_STATUSES } from '../../core/views/conversation.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { refuseInvalid, time, uuid } from '../validate.ts';
import { statuses } from './conversations.ts';

const KINDS = ['message', 'conversation', 'customer'] as const;

const hitView = z
  .object({
    kind: z.enum(KINDS),
    id: z.string().meta({ description: 'Of the message, the conversation or the customer.' }),
    excerpt: z.string().nullable().meta({ description: 'Of a message, what stands around the words.' }),
    at: z.string(),
    conversation: z
      .object({
        id: z.string(),
        status: z.enum(CONVERSATION_STATUSES),
        channel_id: z.string(),
        channel_type: z.string(),
        subject: z.string().nullable(),
        tags: z.array(z.string()),
        assignee_id: z.string().nullable(),
      })
      .nullable(),
    customer: z
      .object({
        id: z.string(),
        name: z.string().nullable(),
        email: z.string().nullable(),
        phone: z.string().nullable(),
      })
      .nullable(),
  })
  .meta({ id: 'SearchHit' });

const get = createRoute({
  method: 'get',
  path: '/search',
  tags: ['Search'],
  summary: 'Find messages, conversations and customers by their words',
  description:
    'The newest 200. Accents and case do not matter; `"…"` is a phrase, `or` either word, `-word` none of it. `partial` says that older hits may be missing.',
  request: {
    query: z.object({
      q: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .refine((text) => fold(text) !== '', 'has no words'),
      kind: z.enum(KINDS).optional(),
      status: statuses.optional(),
      channel_id: uuid.optional(),
      channel_type: z.string().max(50).optional(),
      assignee_id: uuid.optional().meta({ description: 'An agent or a team.' }),
      customer_id: uuid.optional(),
      tag: z.string().max(100).optional(),
      after: time.optional(),
      before: time.optional(),
    }),
  },
  responses: {
    200: json(
      'What was found, newest first',
      z.object({
        data: z.array(hitView),
        partial: z.boolean(),
        matches: z
          .enum(['parts', 'words'])
          .meta({ description: '`words`: without pg_trgm only whole words and their beginnings are found.' }),
      }),
    ),
    ...errors,
  },
});

/** Searching all that was said, and who said it. */
export function searchRoutes({ pool }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });

  app.openapi(get, async (c) => {
    const query = c.req.valid('query');
    const { hits, isPartial, hasParts } = await search(pool, {
      businessId: c.var.actor.businessId,
      q: query.q,
      kinds: query.kind === undefined ? undefined : [query.kind],
      status: query.status,
      channelId: query.channel_id,
      channelType: query.channel_type,
      assigneeId: query.assignee_id,
      customerId: query.customer_id,
      tag: query.tag,
      after: query.after,
      before: query.before,
    });
    const data = await viewHits(pool, { hits, q: query.q, businessId: c.var.actor.businessId });
    return c.json(
      { data, partial: isPartial, matches: hasParts ? ('parts' as const) : ('words' as const) },
      200,
    );
  });

  return app;
}

type HitView = z.infer<typeof hitView>;

/** What the index says is there, as the rows are now: what went meanwhile is left out. */
async function viewHits(pool: Pool, { hits, q, businessId }: { hits: Hit[]; q: string; businessId: string }) {
  const ids = (of: (hit: Hit) => string | null) => [...new Set(hits.flatMap((hit) => of(hit) ?? []))];
  const [messages, conversations, customers] = await Promise.all([
    pool<{ id: string; content: string }[]>`
      select id, content from messages
      where id = any(${ids((hit) => (hit.kind === 'message' ? hit.id : null))}) and business_id = ${businessId} and deleted_at is null`,
    pool<NonNullable<HitView['conversation']>[]>`
      select id, status, channel_id, channel_type, subject, tags, assignee_id from conversations
      where id = any(${ids((hit) => hit.conversation_id)}) and business_id = ${businessId}`,
    pool<NonNullable<HitView['customer']>[]>`
      select id, name, email, phone from customers
      where id = any(${ids((hit) => hit.customer_id)}) and business_id = ${businessId} and deleted_at is null`,
  ]);
  const byId = <Row extends { id: string }>(rows: Row[]) => new Map(rows.map((row) => [row.id, row]));
  const [texts, threads, people] = [byId([...messages]), byId([...conversations]), byId([...customers])];
  return hits.flatMap((hit): HitView[] => {
    const message = texts.get(hit.id);
    const customer = people.get(hit.customer_id ?? '') ?? null;
    const isGone =
      hit.kind === 'message' ? message === undefined : hit.kind === 'customer' && customer === null;
    if (isGone) return [];
    return [
      {
        kind: hit.kind,
        id: hit.id,
        excerpt: message === undefined ? null : excerptOf(message.content, q),
        at: hit.at.toISOString(),
        conversation: threads.get(hit.conversation_id ?? '') ?? null,
        customer,
      },
    ];
  });
}

const AROUND = 80;

/** The words with what stands around them; the beginning where they stand in an attachment's name. */
function excerptOf(content: string, q: string): string {
  const folded = fold(content);
  const places = [fold(q), ...fold(q).split(/[^\p{L}\p{N}]+/u)]
    .filter((word) => word !== '')
    .map((word) => folded.indexOf(word));
  const at = places.find((place) => place >= 0) ?? 0;
  const from = Math.max(0, at - AROUND);
  const text = content
    .slice(from, at + q.length + AROUND)
    .toWellFormed()
    .trim();
  return `${from > 0 ? '…' : ''}${text}${from + text.length < content.trim().length ? '…' : ''}`;
}
