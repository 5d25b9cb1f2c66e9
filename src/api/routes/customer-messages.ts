import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { listCustomerMessages } from '../../core/customers/customer-messages.ts';
import { findCustomer } from '../../core/customers.ts';
import { viewMessages } from '../../core/messages.ts';
import { messageView } from '../../core/views/message.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam } from '../validate.ts';

const list = createRoute({
  method: 'get',
  path: '/customers/{id}/messages',
  tags: ['Customers'],
  summary: 'What was said with a customer on every channel, newest first',
  request: {
    params: idParam,
    query: pageQuery.extend({
      include: z.enum(['activity']).optional().meta({ description: 'Lines of the timeline too.' }),
    }),
  },
  responses: { 200: json('A page of messages', pageOf(messageView)), ...errors },
});

/** The one thread of a customer who writes by several channels. */
export function customerMessageRoutes({ pool, secrets, attachments }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const customer = await findCustomer(pool, c.var.actor.businessId, c.req.valid('param').id);
    const whose = {
      customerId: customer.merged_into_id ?? customer.id,
      activity: query.include === 'activity',
    };
    const window = pageWindow(query, secrets, `messages of ${whose.customerId}`);
    const rows = await listCustomerMessages(pool, whose, window);
    const keyOf = (row: (typeof rows)[number]) => [row.said_at, row.id];
    const { data, meta } = page(rows, { window, secrets, keyOf, view: (row) => row });
    const messages = await viewMessages(pool, data);
    return c.json({ data: messages.map((one) => attachments.mintUrls(one)), meta }, 200);
  });

  return app;
}
