import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import { type CustomerFilter, listCustomers } from '../../core/customers/list-customers.ts';
import { createCustomer, findCustomer, lockCustomer, updateCustomer } from '../../core/customers.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { flag, idParam, uuid } from '../validate.ts';
import {
  type CustomerDetail,
  customerDetail,
  viewCustomerDetail,
  viewCustomers,
} from '../views/customer-detail.ts';
import { knownByOf, knownByQuery } from '../views/known-by.ts';

const MAX_ADDRESSES = 20;

const email = z.email('must be an email address').max(320);
const phone = z
  .string()
  .trim()
  .max(40)
  .regex(/^\+?[\d\s().-]*\d[\d\s().-]*$/, 'must be a phone number');

export const customerInput = z.object({
  name: z
    .string()
    .trim()
    .max(200)
    .nullable()
    .transform((name) => name || null)
    .optional(),
  email: email.nullable().optional(),
  phone: phone.nullable().optional(),
  emails: z.array(email).max(MAX_ADDRESSES).optional().meta({
    description: 'Every email, replacing those that are known; the first is `email` unless that is in it.',
  }),
  phones: z
    .array(phone)
    .max(MAX_ADDRESSES)
    .optional()
    .meta({ description: 'Every phone, replacing those that are known.' }),
  external_id: z.string().trim().min(1).max(200).nullable().optional(),
  custom_attributes: z.record(z.string().min(1).max(100), z.unknown()).optional(),
});

const attribute = z
  .string()
  .max(1_000)
  .regex(/^[^:]+:/, 'must be name:value');
const customAttributes = z.union([attribute.transform((one) => [one]), z.array(attribute).max(10)], {
  error: 'must be name:value, at most ten of them',
});

const tags = ['Customers'];

const listQuery = pageQuery.extend({
  q: z.string().trim().min(1).max(200).optional().meta({
    description:
      'In name, emails, phones and external id, or a whole address on a channel. One or two letters are looked for where words begin and end.',
  }),
  ...knownByQuery,
  channel_id: uuid.optional().meta({ description: 'Only those with an address on this channel.' }),
  custom_attribute: customAttributes.optional().meta({
    description: '`name:value`, as often as wanted: customers that have all of these custom attributes.',
  }),
  is_blocked: flag.optional(),
});

const list = createRoute({
  method: 'get',
  path: '/customers',
  tags,
  summary: 'List or look up customers, newest first',
  request: {
    query: listQuery,
  },
  responses: { 200: json('A page of customers', pageOf(customerDetail)), ...errors },
});

const create = createRoute({
  method: 'post',
  path: '/customers',
  tags,
  summary: 'Create a customer',
  request: { body: body(customerInput) },
  responses: { 201: json('The new customer', customerDetail), ...errors },
});

const get = createRoute({
  method: 'get',
  path: '/customers/{id}',
  tags,
  summary: 'A customer with the addresses they are known by',
  request: { params: idParam },
  responses: { 200: json('The customer', customerDetail), ...errors },
});

function changeRoute<Method extends 'patch' | 'put'>(method: Method) {
  return createRoute({
    method,
    path: '/customers/{id}',
    tags,
    summary: 'Change a customer; custom attributes are merged in, null takes one away',
    request: { params: idParam, body: body(customerInput) },
    responses: { 200: json('The customer', customerDetail), ...errors },
  });
}

/** Customers: looking up, creating, changing. */
export function customerRoutes({ pool, secrets }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const query = c.req.valid('query');
    const window = pageWindow(query, secrets, 'customers');
    const rows = await listCustomers(pool, filterOf(query, c.var.actor.businessId), window);
    const views = new Map((await viewCustomers(pool, rows)).map((view) => [view.id, view]));
    const view = (row: { id: string }) => views.get(row.id) as CustomerDetail;
    return c.json(page([...rows], { window, secrets, keyOf: (row) => [row.id], view }), 200);
  });

  app.openapi(create, async (c) => {
    const { businessId } = c.var.actor;
    const answer = await commitAnswer(c, 201, async (tx) =>
      viewCustomerDetail(tx, await createCustomer(tx, businessId, c.req.valid('json'))),
    );
    return c.json(answer, 201);
  });

  app.openapi(get, async (c) => {
    const customer = await findCustomer(pool, c.var.actor.businessId, c.req.valid('param').id);
    return c.json(await viewCustomerDetail(pool, customer), 200);
  });

  for (const method of ['patch', 'put'] as const) {
    app.openapi(changeRoute(method), async (c) => {
      const { actor, transact } = c.var;
      const answer = await transact(async (tx) => {
        const before = await lockCustomer(tx, actor.businessId, c.req.valid('param').id);
        return viewCustomerDetail(tx, await updateCustomer(tx, before, c.req.valid('json')));
      });
      return c.json(answer, 200);
    });
  }

  return app;
}

function filterOf(query: z.infer<typeof listQuery>, businessId: string): CustomerFilter {
  return {
    businessId,
    q: query.q,
    ...knownByOf(query),
    channelId: query.channel_id,
    customAttributes: query.custom_attribute?.map(splitAttribute),
    isBlocked: query.is_blocked,
  };
}

function splitAttribute(text: string): [name: string, value: string] {
  const at = text.indexOf(':');
  return [text.slice(0, at), text.slice(at + 1)];
}
