import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import {
  createCustomer,
  findCustomer,
  type Identity,
  identitiesOf,
  listCustomers,
  lockCustomer,
  updateCustomer,
} from '../../core/customers.ts';
import type { Sql } from '../../core/database/connect.ts';
import { type CustomerRow, customerView, viewCustomer } from '../../core/views/customer.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, refuseInvalid } from '../validate.ts';

const identityView = z.object({ channel_id: z.string(), kind: z.string(), address: z.string() });
const customerDetail = customerView.extend({ identities: z.array(identityView) });
type CustomerDetail = z.infer<typeof customerDetail>;

export const customerInput = z.object({
  name: z.string().trim().max(200).nullable().optional(),
  email: z.email('must be an email address').max(320).nullable().optional(),
  phone: z
    .string()
    .trim()
    .max(40)
    .regex(/^\+?[\d\s().-]*\d[\d\s().-]*$/, 'must be a phone number')
    .nullable()
    .optional(),
  external_id: z.string().trim().min(1).max(200).nullable().optional(),
  custom_attributes: z.record(z.string().min(1).max(100), z.unknown()).optional(),
});

const tags = ['Customers'];

const list = createRoute({
  method: 'get',
  path: '/customers',
  tags,
  summary: 'List or look up customers, newest first',
  request: {
    query: pageQuery.extend({
      q: z
        .string()
        .trim()
        .min(1)
        .max(200)
        .optional()
        .meta({ description: 'In name, email, phone and external id.' }),
      email: z.string().optional(),
      phone: z.string().optional(),
      external_id: z.string().optional(),
    }),
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
  const app = new OpenAPIHono<ApiEnv>({ defaultHook: refuseInvalid });

  app.openapi(list, async (c) => {
    const { q, email, phone, external_id, ...query } = c.req.valid('query');
    const window = pageWindow(query, secrets);
    const filter = { businessId: c.var.actor.businessId, q, email, phone, externalId: external_id };
    const rows = await listCustomers(pool, filter, window);
    const identities = await identitiesOf(
      pool,
      rows.map((row) => row.id),
    );
    const view = (row: CustomerRow) => withIdentities(row, identities);
    return c.json(page([...rows], { window, secrets, keyOf: (row) => [row.id], view }), 200);
  });

  app.openapi(create, async (c) => {
    const { businessId } = c.var.actor;
    const answer = await commitAnswer(c, 201, async (tx) =>
      viewDetail(tx, await createCustomer(tx, businessId, c.req.valid('json'))),
    );
    return c.json(answer, 201);
  });

  app.openapi(get, async (c) => {
    const customer = await findCustomer(pool, c.var.actor.businessId, c.req.valid('param').id);
    return c.json(await viewDetail(pool, customer), 200);
  });

  for (const method of ['patch', 'put'] as const) {
    app.openapi(changeRoute(method), async (c) => {
      const { actor, transact } = c.var;
      const answer = await transact(async (tx) => {
        const before = await lockCustomer(tx, actor.businessId, c.req.valid('param').id);
        return viewDetail(tx, await updateCustomer(tx, before, c.req.valid('json')));
      });
      return c.json(answer, 200);
    });
  }

  return app;
}

async function viewDetail(sql: Sql, row: CustomerRow): Promise<CustomerDetail> {
  return withIdentities(row, await identitiesOf(sql, [row.id]));
}

function withIdentities(row: CustomerRow, identities: Map<string, Identity[]>): CustomerDetail {
  const own = identities.get(row.id) ?? [];
  return {
    ...viewCustomer(row),
    identities: own.map(({ channel_id, kind, address }) => ({ channel_id, kind, address })),
  };
}
