import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { refuseUnknownType } from '../../core/channels/channel-type.ts';
import { testChannel } from '../../core/channels/test-channel.ts';
import { csatSettings } from '../../core/csat/settings.ts';
import { lookAgain } from '../../core/team/assigner.ts';
import { channelAssignment } from '../../core/team/assignment.ts';
import { channelView } from '../../core/views/channel.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { autoResolveAfter, channelType, flag, idParam, retentionDays } from '../validate.ts';

const automaticText = z.string().trim().min(1).max(4_000).nullable();

const changeable = {
  name: z.string().trim().min(1).max(200).optional(),
  is_active: z.boolean().optional(),
  is_default: z.boolean().optional(),
  reopen: z
    .string()
    .regex(/^(always|never|within_hours:[0-9]{1,5})$/, 'must be always, never or within_hours:N')
    .optional()
    .meta({
      description:
        'Whether a customer message reopens a resolved conversation: always | within_hours:N | never.',
    }),
  assignment: channelAssignment
    .optional()
    .meta({ description: 'Who gets the conversations that customers begin here.' }),
  auto_resolve_after_minutes: autoResolveAfter.optional().meta({
    description:
      'Resolves conversations in which nothing happened for so long, except snoozed ones; 0 keeps them open, null leaves it to the business.',
  }),
  retention_messages_days: retentionDays.optional().meta({
    description:
      'Empties resolved and closed conversations after so many days of silence; null leaves it to the business, and the operator may have set less.',
  }),
  csat: csatSettings.nullable().optional().meta({
    description:
      'Whether customers are asked, after their conversation is resolved, how they were served; null leaves it to the business.',
  }),
  greeting: automaticText.optional().meta({
    description: 'Said once to whoever begins a conversation, at most once a day; variables are filled in.',
  }),
  out_of_hours: automaticText.optional().meta({
    description:
      'Said instead outside of the working hours of `assignment`, or of its team: once until work begins again.',
  }),
};
const config = z
  .record(z.string(), z.unknown())
  .meta({ description: 'What the type needs; see the README.' });

const health = z.object({
  ok: z.boolean(),
  detail: z.string().meta({ description: 'What the provider says, in plain words.' }),
  facts: z.record(z.string(), z.unknown()).optional(),
});

const tags = ['Channels'];

const list = createRoute({
  method: 'get',
  path: '/channels',
  tags,
  summary: 'List the channels of the business',
  request: { query: pageQuery.extend({ type: channelType.optional(), is_active: flag.optional() }) },
  responses: { 200: json('A page of channels, oldest first', pageOf(channelView)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/channels',
  tags,
  summary: 'Connect a channel',
  description:
    'Registers our door with the provider afterwards; `setup.todo` says what a person must still do.',
  request: {
    body: body(z.object({ type: z.string().min(1).max(50), config: config.default({}), ...changeable }), {
      type: 'webchat',
      name: 'Web site',
      config: { allowed_origins: ['https://www.example.com'] },
    }),
  },
  responses: { 201: json('The channel', channelView), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/channels/{id}',
  tags,
  summary: 'Get a channel',
  request: { params: idParam },
  responses: { 200: json('The channel', channelView), ...errors },
});

const patch = createRoute({
  method: 'patch',
  path: '/channels/{id}',
  tags,
  summary: 'Change a channel',
  description:
    'Keys of `config` that are left out stay. Changing a host requires the secrets again in the same request.',
  request: {
    params: idParam,
    body: body(z.object({ config: config.optional(), ...changeable }), {
      name: 'Web site',
      greeting: 'Hello {{visitor.name}}, how can we help?',
    }),
  },
  responses: { 200: json('The changed channel', channelView), ...errors },
});

const remove = createRoute({
  method: 'delete',
  path: '/channels/{id}',
  tags,
  summary: 'Disconnect a channel; its conversations stay readable',
  request: { params: idParam },
  responses: { 204: { description: 'It is gone' }, ...errors },
});

const checkHealth = createRoute({
  method: 'get',
  path: '/channels/{id}/health',
  tags,
  summary: 'Ask the provider whether the account works',
  request: { params: idParam },
  responses: { 200: json('What the provider says', health), ...errors },
});

const tested = z.object({
  ok: z.boolean(),
  steps: z.array(
    z.object({
      name: z.string().meta({ description: 'settings, active, provider, door or listener.' }),
      ok: z.boolean(),
      detail: z.string(),
    }),
  ),
});

const test = createRoute({
  method: 'post',
  path: '/channels/{id}/test',
  tags,
  summary: 'Try each step that a message passes, without sending one',
  request: { params: idParam },
  responses: { 200: json('What works and what does not', tested), ...errors },
});

/** The connected accounts of a business. */
export function channelRoutes({ pool, secrets, channels, wake, registry }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const window = pageWindow(query, secrets, 'channels');
    refuseUnknownType(registry, query.type, 'type');
    const filter = { businessId: c.var.actor.businessId, type: query.type, isActive: query.is_active };
    const rows = await channels.list(pool, filter, window);
    return c.json(page(rows, { window, secrets, keyOf: ({ row }) => [row.id], view: channels.view }), 200);
  });

  app.openapi(create, async (c) => {
    const { actor, transact } = c.var;
    const { loaded, generated } = await transact((tx) => channels.create(tx, actor, c.req.valid('json')));
    const connected = loaded.row.is_active ? await channels.connect(loaded, { isNew: true }) : loaded;
    return c.json({ ...channels.view(connected), ...shown(generated) }, 201);
  });

  app.openapi(get, async (c) => {
    return c.json(
      channels.view(await channels.find(pool, c.var.actor.businessId, c.req.valid('param').id)),
      200,
    );
  });

  app.openapi(patch, async (c) => {
    const { actor, transact } = c.var;
    const { id } = c.req.valid('param');
    const changes = c.req.valid('json');
    const { loaded, generated } = await transact((tx) => channels.change(tx, actor, { ...changes, id }));
    wake.notify('channel', id);
    if (changes.assignment !== undefined) await lookAgain(pool, actor.businessId);
    const needsConnect = changes.config !== undefined || changes.is_active === true;
    const connected =
      needsConnect && loaded.row.is_active ? await channels.connect(loaded, { isNew: false }) : loaded;
    return c.json({ ...channels.view(connected), ...shown(generated) }, 200);
  });

  app.openapi(remove, async (c) => {
    const { actor, transact } = c.var;
    const { id } = c.req.valid('param');
    await transact((tx) => channels.remove(tx, actor, id));
    wake.notify('channel', id);
    return c.body(null, 204);
  });

  app.openapi(checkHealth, async (c) => {
    const loaded = await channels.find(pool, c.var.actor.businessId, c.req.valid('param').id);
    return c.json(await channels.health(loaded), 200);
  });

  app.openapi(test, async (c) => {
    const { id } = c.req.valid('param');
    return c.json(await testChannel({ pool, channels }, c.var.actor.businessId, id), 200);
  });

  return app;
}

function shown(generated: Record<string, string>) {
  return Object.keys(generated).length === 0 ? {} : { generated };
}
