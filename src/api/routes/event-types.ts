import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { EVENT_TYPES, type EventType } from '../../core/events.ts';
import { EVENT_CATALOGUE, payloadSchema } from '../../webhooks/event-catalogue.ts';
import type { ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';

const eventTypeView = z.object({
  type: z.enum(EVENT_TYPES),
  summary: z.string(),
  schema: z
    .record(z.string(), z.unknown())
    .meta({ description: 'The JSON schema (2020-12) of the payload, version 1.' }),
});

const list = createRoute({
  method: 'get',
  path: '/event-types',
  tags: ['Events'],
  summary: 'Every type of event, with the JSON schema of its payload',
  responses: {
    200: json('The types, in no order', z.object({ data: z.array(eventTypeView) })),
    ...errors,
  },
});

/** The catalogue of events, made from what payloads are made from. */
export function eventTypeRoutes(): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();
  let catalogue: z.infer<typeof eventTypeView>[] | undefined;
  app.openapi(list, (c) => {
    catalogue ??= EVENT_TYPES.map(describe);
    return c.json({ data: catalogue }, 200);
  });
  return app;
}

function describe(type: EventType): z.infer<typeof eventTypeView> {
  return { type, summary: EVENT_CATALOGUE[type].summary, schema: { ...z.toJSONSchema(payloadSchema(type)) } };
}
