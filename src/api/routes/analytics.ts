import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { DateTime } from 'luxon';
import { z } from 'zod';
import { conversationNumbers, overview } from '../../core/analytics/overview.ts';
import { GROUPINGS, nothing, report } from '../../core/analytics/report.ts';
import { getBusiness } from '../../core/businesses.ts';
import { refuseUnknownType } from '../../core/channels/channel-type.ts';
import type { Pool } from '../../core/database/connect.ts';
import { invalidField } from '../../core/errors.ts';
import { isZone } from '../../core/team/working-hours.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { channelType, flag, uuid, wholeNumber } from '../validate.ts';
import { csvOf, type Days, nextDay, type Report, reportView, rowsOf } from '../views/analytics-report.ts';

const tags = ['Analytics'];
const count = z.number().int();
const seconds = z.number().nullable();

const overviewView = z
  .object({
    total_conversations: count.meta({ description: 'That began in these days.' }),
    avg_first_response: seconds.meta({ description: 'Seconds until an agent first answered, on average.' }),
    resolution_rate: z
      .number()
      .nullable()
      .meta({ description: 'Percent of those that began in these days and are resolved or closed.' }),
    active_agents: count.meta({ description: 'Agents who wrote or finished anything in these days.' }),
    channel_mix: z.record(z.string(), z.number()).meta({ description: 'Percent of each type of channel.' }),
    top_agents: z
      .array(
        z.object({
          agent_id: z.string(),
          name: z.string(),
          conversations: count,
          resolved: count,
          messages_sent: count,
        }),
      )
      .meta({ description: 'At most five, those who resolved most first.' }),
    quick_pulse_open: count.meta({ description: 'Open at this moment.' }),
    median_handle_time: seconds.meta({
      description: 'Seconds from the first answer to the end, without what was snoozed.',
    }),
    customer_happiness: z
      .number()
      .nullable()
      .meta({ description: 'Percent of the scores that are 4 or 5; null without any.' }),
  })
  .meta({ id: 'AnalyticsOverview' });

const getOverview = createRoute({
  method: 'get',
  path: '/analytics/overview',
  tags,
  summary: 'The business at a glance',
  request: {
    query: z.object({
      days: wholeNumber(1, 366).default(30).meta({ description: 'Up to now.' }),
    }),
  },
  responses: { 200: json('What happened, and what is open', overviewView), ...errors },
});

const conversationsView = z
  .object({
    total_conversations: count,
    open_conversations: count,
    resolved_today: count.meta({ description: 'Today in the zone of the business.' }),
    avg_first_response_time: seconds,
    avg_resolution_time: seconds,
    csat: z.number().nullable().meta({ description: 'The average score, 1 to 5.' }),
  })
  .meta({ id: 'AnalyticsConversations' });

const getConversations = createRoute({
  method: 'get',
  path: '/analytics/conversations',
  tags,
  summary: 'All conversations of the business in a few numbers',
  responses: { 200: json('Counts, and averages in seconds', conversationsView), ...errors },
});

const MOST_DAYS = 400;

/** Outside these years a day of some zone has no time that the database and JavaScript both can write. */
const dayInQuery = z.iso
  .date()
  .refine((text) => text >= '1970-01-01' && text <= '9998-12-31', 'must be between the years 1970 and 9998');

const reportQuery = z.object({
  group_by: z.enum(GROUPINGS).optional(),
  from: dayInQuery.optional().meta({ description: 'The first day; 30 days up to today without it.' }),
  to: dayInQuery.optional().meta({ description: 'The last day; today without it.' }),
  timezone: z
    .string()
    .refine(isZone, 'must be an IANA time zone, like Europe/Berlin')
    .optional()
    .meta({ description: 'Whose days; those of the business without it.' }),
  working_hours: flag
    .optional()
    .meta({ description: 'Count only the seconds in which the channel, or its team, works.' }),
  channel_id: uuid.optional(),
  channel_type: channelType.optional(),
  agent_id: uuid.optional(),
  tag: z.string().max(100).optional(),
  format: z.enum(['json', 'csv']).default('json'),
});

const getReport = createRoute({
  method: 'get',
  path: '/analytics/report',
  tags,
  summary: 'Counts and times per channel, agent, tag or day',
  description:
    'Everything counts when it happened. What has several tags counts for each. As CSV: one line a group.',
  request: { query: reportQuery },
  responses: {
    200: {
      description: 'The report',
      content: { 'application/json': { schema: reportView }, 'text/csv': { schema: z.string() } },
    },
    ...errors,
  },
});

/** What is counted of conversations. */
export function analyticsRoutes({ pool, registry }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(getOverview, async (c) => {
    const { businessId } = c.var.actor;
    const to = new Date();
    const from = new Date(to.getTime() - c.req.valid('query').days * 86_400_000);
    const filter = { businessId, from, to, timezone: 'UTC', isWorking: false };
    return c.json(await overview(pool, filter), 200);
  });

  app.openapi(getConversations, async (c) => {
    const found = await conversationNumbers(pool, await getBusiness(pool, c.var.actor.businessId));
    return c.json(
      {
        total_conversations: found.total,
        open_conversations: found.open,
        resolved_today: found.resolvedToday,
        avg_first_response_time: found.avgFirstResponse,
        avg_resolution_time: found.avgResolution,
        csat: found.csat,
      },
      200,
    );
  });

  app.openapi(getReport, async (c) => {
    const query = c.req.valid('query');
    refuseUnknownType(registry, query.channel_type);
    const found = await reportOf(pool, c.var.actor.businessId, query);
    if (query.format === 'json') return c.json(found, 200);
    c.header('Content-Disposition', 'attachment; filename="report.csv"');
    const rows = found.group_by === null ? [{ key: null, name: null, ...found.total }] : found.data;
    return c.body(csvOf(rows), 200, { 'Content-Type': 'text/csv; charset=utf-8' });
  });

  return app;
}

type ReportQuery = z.infer<typeof reportQuery>;

async function reportOf(pool: Pool, businessId: string, query: ReportQuery): Promise<Report> {
  const timezone = query.timezone ?? (await getBusiness(pool, businessId)).timezone;
  const time = timeOf(query, timezone);
  const filter = { businessId, timezone, ...filterOf(query, time) };
  const [all, groups] = await Promise.all([
    report(pool, filter),
    query.group_by === undefined ? new Map() : report(pool, filter, query.group_by),
  ]);
  return {
    from: time.from.toISODate() ?? '',
    to: time.to.toISODate() ?? '',
    timezone,
    working_hours: filter.isWorking,
    group_by: query.group_by ?? null,
    total: all.get('') ?? nothing(),
    data: await rowsOf(pool, groups, { grouping: query.group_by, time }),
  };
}

function filterOf(query: ReportQuery, { from, to }: Days) {
  return {
    from: from.toJSDate(),
    to: nextDay(to).toJSDate(),
    isWorking: query.working_hours ?? false,
    channelId: query.channel_id,
    channelType: query.channel_type,
    agentId: query.agent_id,
    tag: query.tag,
  };
}

/** Whole days on the clocks of the zone. */
function timeOf(query: ReportQuery, zone: string): Days {
  const day = (text: string) => DateTime.fromISO(text, { zone }).startOf('day');
  const to = query.to === undefined ? DateTime.now().setZone(zone).startOf('day') : day(query.to);
  const from = query.from === undefined ? to.minus({ days: 29 }).startOf('day') : day(query.from);
  if (from > to) throw invalidField('from', 'must not be after the last day');
  if (to.diff(from, 'days').days >= MOST_DAYS)
    throw invalidField('from', `is more than ${MOST_DAYS} days before`);
  return { from, to };
}
