import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { type ConsentRow, consentsOf, type ListedConsent, noteTold } from '../../core/customers/consent.ts';
import { findCustomer } from '../../core/customers.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, uuid } from '../validate.ts';

const consentView = z
  .object({
    id: z.string(),
    channel_id: z.string(),
    address: z.string(),
    consent: z.enum(['stop', 'start', 'help']).meta({ description: 'The newest `stop` or `start` counts.' }),
    source: z.enum(['customer', 'provider', 'agent']),
    keyword: z.string().nullable().meta({ description: 'The word that the customer wrote.' }),
    agent_id: z.string().nullable(),
    said_at: z.string(),
  })
  .meta({ id: 'Consent' });

const tags = ['Customers'];

const list = createRoute({
  method: 'get',
  path: '/customers/{id}/consents',
  tags,
  summary: 'What the customer said about being written to, newest first',
  request: { params: idParam, query: pageQuery },
  responses: { 200: json('A page of statements', pageOf(consentView)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/customers/{id}/consents',
  tags,
  summary: 'Keep what the customer told one of the team',
  description: 'After `stop` nothing is sent to the customer’s addresses on the channel until a `start`.',
  request: {
    params: idParam,
    body: body(z.object({ channel_id: uuid, consent: z.enum(['stop', 'start']) })),
  },
  responses: {
    201: json('The statements, one for each address', z.object({ data: z.array(consentView) })),
    ...errors,
  },
});

/** Whether customers may be written to, as they said it. */
export function consentRoutes({ pool, secrets }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const window = pageWindow(c.req.valid('query'), secrets, 'consents');
    const { businessId } = c.var.actor;
    const customer = await findCustomer(pool, businessId, c.req.valid('param').id);
    const rows = await consentsOf(pool, { businessId, customerId: customer.id, page: window });
    const keyOf = (row: ListedConsent) => [row.said_text, row.id];
    return c.json(page(rows, { window, secrets, keyOf, view }), 200);
  });

  app.openapi(create, async (c) => {
    const { channel_id: channelId, consent } = c.req.valid('json');
    const { businessId, agentId } = c.var.actor;
    const answer = await commitAnswer(c, 201, async (tx) => {
      const customer = await findCustomer(tx, businessId, c.req.valid('param').id);
      const told = { businessId, customerId: customer.id, channelId, consent, agentId };
      return { data: (await noteTold(tx, told)).map(view) };
    });
    return c.json(answer, 201);
  });

  return app;
}

function view(row: ConsentRow): z.infer<typeof consentView> {
  const { id, channel_id, address, consent, source, keyword, agent_id, said_at } = row;
  return { id, channel_id, address, consent, source, keyword, agent_id, said_at: said_at.toISOString() };
}
