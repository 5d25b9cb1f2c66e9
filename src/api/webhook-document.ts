import type { OpenAPIHono } from '@hono/zod-openapi';
import { EVENT_TYPES } from '../core/events.ts';
import { EVENT_CATALOGUE, payloadSchema, supportPayloadSchema } from '../webhooks/event-catalogue.ts';
import type { ApiEnv } from './deps.ts';
import { body } from './openapi.ts';

const header = (name: string, description: string) => ({
  name,
  in: 'header' as const,
  required: true,
  schema: { type: 'string' as const },
  description,
});

const HEADERS = [
  header('webhook-id', "The event's id, the same on every try."),
  header('webhook-timestamp', 'Unix seconds of this try.'),
  header(
    'webhook-signature',
    'Standard Webhooks: `v1,BASE64` of each valid secret, `v1a,BASE64` where enabled, separated by spaces.',
  ),
  header('webhook-attempt', 'Counts the tries of this delivery, from 1.'),
  header('webhook-trigger', 'Why it is sent: `event`, `retry`, `recover`, `replay` or `test`.'),
];

const responses = {
  '2XX': { description: 'Taken.' },
  410: { description: 'Nothing is wanted here any more: the endpoint is switched off.' },
  default: { description: 'Tried again later; `Retry-After` is obeyed.' },
};

/** Describes what subscribers' servers are called with: the OpenAPI document's `webhooks`. */
export function describeWebhooks(app: OpenAPIHono<ApiEnv>): void {
  for (const type of EVENT_TYPES) {
    const { summary } = EVENT_CATALOGUE[type];
    describe(app, type, { summary, schema: payloadSchema(type) });
  }
  const summary = 'Any event, as endpoints of the support dialect get it';
  describe(app, 'support', { summary, schema: supportPayloadSchema });
}

function describe(
  app: OpenAPIHono<ApiEnv>,
  name: string,
  { summary, schema }: { summary: string; schema: ReturnType<typeof payloadSchema> },
): void {
  app.openAPIRegistry.registerWebhook({
    method: 'post',
    path: name,
    operationId: `on${name.replaceAll(/(?:^|[._])([a-z])/g, (_, letter: string) => letter.toUpperCase())}`,
    tags: ['Webhooks'],
    summary,
    security: [],
    parameters: HEADERS,
    request: { body: body(schema) },
    responses,
  });
}
