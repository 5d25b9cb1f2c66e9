import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { type Attachments, LONG_URL_MS } from '../../core/attachments.ts';
import type { Sql } from '../../core/database/connect.ts';
import { AppError } from '../../core/errors.ts';
import {
  decodeCursor,
  EVENT_TYPES,
  type EventRow,
  encodeCursor,
  latestPosition,
  oldestPosition,
  type Position,
  positionOf,
  readEvents,
} from '../../core/events.ts';
import type { Secrets } from '../../core/secrets.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { pageQuery } from '../pagination.ts';

const eventView = z
  .object({
    id: z.string(),
    cursor: z.string().meta({ description: 'Where a reader stands that has read this event.' }),
    type: z.enum(EVENT_TYPES),
    timestamp: z.string(),
    business_id: z.string(),
    conversation_id: z.string().nullable(),
    customer_id: z.string().nullable(),
    message_id: z.string().nullable(),
    caused_by: z.record(z.string(), z.unknown()).nullable(),
    data: z
      .record(z.string(), z.unknown())
      .meta({ description: 'Where it concerns them: `conversation`, `message`, `customer`.' }),
  })
  .meta({ id: 'Event' });

const types = z
  .string()
  .transform((text) =>
    text
      .split(',')
      .map((type) => type.trim())
      .filter((type) => type !== ''),
  )
  .pipe(z.array(z.enum(EVENT_TYPES)))
  .meta({ description: 'One type, or several with commas; all of them when it is empty.' });

const list = createRoute({
  method: 'get',
  path: '/events',
  tags: ['Events'],
  summary: 'What happened, in one order: nothing ever appears behind a cursor already given out',
  request: {
    query: pageQuery.pick({ limit: true }).extend({
      after: z
        .string()
        .optional()
        .meta({ description: 'A cursor, or `now`; without it from the oldest event kept.' }),
      cursor: z
        .string()
        .optional()
        .meta({ description: 'The same as `after`, as every other list calls it.' }),
      types: types.optional(),
    }),
  },
  responses: {
    200: json(
      'Events, oldest first; keep `meta.next_cursor`, also where there is no more yet',
      z.object({
        data: z.array(eventView),
        meta: z.object({ next_cursor: z.string(), has_more: z.boolean() }),
      }),
    ),
    ...errors,
    410: { ...errors[400], description: 'The events behind this cursor are no longer kept.' },
  },
});

/** The events of a business, for readers that keep a cursor. */
export function eventRoutes({ pool, secrets, attachments }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const { cursor, after: from = cursor, types: wanted, limit } = c.req.valid('query');
    const after = await positionFor(pool, secrets, from);
    const query = {
      businessId: c.var.actor.businessId,
      after,
      limit: limit + 1,
      ...(wanted === undefined ? {} : { types: wanted }),
    };
    // Read before the events: what is committed meanwhile stays ahead of the cursor that we give out.
    const newest = await latestPosition(pool);
    const rows = await readEvents(pool, query);
    const shown = rows.slice(0, limit);
    const hasMore = rows.length > limit;
    const next = nextPosition({ shown, hasMore, after, newest });
    return c.json(
      {
        data: shown.map((row) => viewEvent(row, { secrets, attachments })),
        meta: { next_cursor: encodeCursor(next, secrets), has_more: hasMore },
      },
      200,
    );
  });

  return app;
}

async function positionFor(sql: Sql, secrets: Secrets, cursor: string | undefined): Promise<Position> {
  if (cursor === 'now') return latestPosition(sql);
  const oldest = await oldestPosition(sql);
  if (cursor === undefined || cursor === '') return oldest;
  const position = decodeCursor(cursor, secrets);
  // Days are dropped whole: a cursor of a day before the oldest kept one may have lost events.
  if (position.seq < oldest.seq && position.day < oldest.day) {
    throw new AppError(
      'cursor_expired',
      'The events behind this cursor are no longer kept; begin without it.',
    );
  }
  return position;
}

interface Read {
  shown: EventRow[];
  hasMore: boolean;
  after: Position;
  newest: Position;
}

/** Having seen all there is, a reader stands at the newest event, even one that is not its own: its cursor stays young. */
function nextPosition({ shown, hasMore, after, newest }: Read): Position {
  const last = shown.at(-1);
  const read = last === undefined ? after : positionOf(last);
  return !hasMore && newest.seq > read.seq ? newest : read;
}

function viewEvent(row: EventRow, { secrets, attachments }: { secrets: Secrets; attachments: Attachments }) {
  return {
    id: row.id,
    cursor: encodeCursor(positionOf(row), secrets),
    type: row.type,
    timestamp: row.occurred_at.toISOString(),
    business_id: row.business_id,
    conversation_id: row.conversation_id,
    customer_id: row.customer_id,
    message_id: row.message_id,
    caused_by: row.caused_by,
    data: attachments.mintUrls(row.data, LONG_URL_MS),
  };
}
