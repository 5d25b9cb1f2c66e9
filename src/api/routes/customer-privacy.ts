import { setTimeout as sleep } from 'node:timers/promises';
import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { makeZip } from 'client-zip';
import { z } from 'zod';
import { LONG_URL_MS } from '../../core/attachments.ts';
import { audit } from '../../core/audit.ts';
import { eraseCustomer } from '../../core/customers/erase-customer.ts';
import { type Person, personOf } from '../../core/customers/erasure/person.ts';
import { sweepErasure } from '../../core/customers/erasure/sweep.ts';
import { exportConsents, exportIdentities } from '../../core/customers/export-customer.ts';
import { findCustomer, refuseMerged, type StoredCustomer } from '../../core/customers.ts';
import type { Sql } from '../../core/database/connect.ts';
import { conversationView } from '../../core/views/conversation.ts';
import { draftView } from '../../core/views/draft.ts';
import { messageView } from '../../core/views/message.ts';
import { ratingView } from '../../core/views/rating.ts';
import { archiveEntries, archiveText } from '../customer-archive.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { errors } from '../openapi.ts';
import { idParam } from '../validate.ts';
import { customerDetail, viewCustomers } from '../views/customer-detail.ts';

const tags = ['Customers'];

const erase = createRoute({
  method: 'delete',
  path: '/customers/{id}',
  tags,
  summary: 'Erase a person',
  description:
    'What they wrote, what was written to them, their addresses, files, events, deliveries and raw requests are gone for good, with those of everybody who was merged into them. Their conversations are closed and keep only what counts: times, numbers, who answered.',
  request: { params: idParam },
  responses: {
    204: { description: 'Nothing is left of them' },
    202: { description: 'They are erased; a long history is still being emptied' },
    ...errors,
  },
});

const archive = z.object({
  exported_at: z.string(),
  customer: customerDetail,
  merged_customers: z.array(customerDetail).meta({ description: 'As they were before they were merged.' }),
  identities: z.array(
    z.object({
      channel_id: z.string(),
      channel_type: z.string(),
      channel_name: z.string(),
      kind: z.string(),
      address: z.string(),
      profile: z.record(z.string(), z.unknown()),
      created_at: z.string(),
    }),
  ),
  consents: z.array(
    z.object({
      channel_id: z.string(),
      address: z.string(),
      consent: z.string(),
      source: z.string(),
      said_at: z.string(),
    }),
  ),
  conversations: z.array(
    conversationView.extend({
      ratings: z.array(ratingView),
      drafts: z.array(draftView).optional().meta({ description: 'With `include=internal`.' }),
      messages: z.array(messageView),
    }),
  ),
});

const exportAll = createRoute({
  method: 'get',
  path: '/customers/{id}/export',
  tags,
  summary: 'Everything that is kept of a person, as one archive',
  description:
    'As JSON the attachments are addresses that work for seven days; as zip they lie beside `customer.json`. Notes, the timeline and drafts of an AI are left out unless they are asked for.',
  request: {
    params: idParam,
    query: z.object({
      format: z.enum(['json', 'zip']).default('json'),
      include: z.enum(['internal']).optional(),
    }),
  },
  responses: {
    200: {
      description: 'The archive',
      content: {
        'application/json': { schema: archive },
        'application/zip': { schema: z.unknown().meta({ type: 'string', format: 'binary' }) },
      },
    },
    ...errors,
  },
});

const PATIENCE_MS = 20_000;

/** What a person may ask of those who keep something of them. */
export function customerPrivacyRoutes(deps: ApiDeps): OpenAPIHono<ApiEnv> {
  const { pool, transact, attachments, wake, log } = deps;
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(erase, async (c) => {
    const { id } = c.req.valid('param');
    await c.var.transact((tx) => eraseCustomer(tx, c.var.actor, id));
    wake.notify('session');
    wake.notify('blocked');
    const swept = sweepErasure({ pool, transact, files: attachments.files }, id).then(
      () => true,
      (error: unknown) => {
        log.warn({ err: error, customer: id }, 'sweeping an erasure failed; it is tried again');
        return false;
      },
    );
    const isDone = await Promise.race([swept, sleep(PATIENCE_MS, false, { ref: false })]);
    return c.body(null, isDone ? 204 : 202);
  });

  app.openapi(exportAll, async (c) => {
    const { actor } = c.var;
    const { format, include } = c.req.valid('query');
    const customer = await findCustomer(pool, actor.businessId, c.req.valid('param').id);
    refuseMerged(customer);
    const erased = { businessId: actor.businessId, customerId: customer.id, requestedAt: new Date() };
    const person = await personOf(pool, erased);
    const options = { pool, person, head: await headOf(pool, person), internal: include === 'internal' };
    await audit(pool, actor, { action: 'customer.exported', subjectId: customer.id });
    c.header('Content-Disposition', `attachment; filename="customer-${customer.id}.${format}"`);
    if (format === 'zip') {
      c.header('Content-Type', 'application/zip');
      return c.body(makeZip(archiveEntries({ ...options, files: attachments.files })));
    }
    c.header('Content-Type', 'application/json');
    const text = archiveText({ ...options, place: (one) => attachments.mint(one, LONG_URL_MS) });
    return c.body(ReadableStream.from(text).pipeThrough(new TextEncoderStream()));
  });

  return app;
}

/** Who the person is, before what they said. */
async function headOf(sql: Sql, person: Person) {
  const rows = await sql<StoredCustomer[]>`
    select * from customers where id = any(${person.customers}) order by merged_into_id nulls first, id`;
  const [customer, ...merged_customers] = await viewCustomers(sql, rows);
  const identities = await exportIdentities(sql, person);
  return {
    exported_at: new Date().toISOString(),
    customer,
    merged_customers,
    identities: identities.map((one) => ({ ...one, created_at: one.created_at.toISOString() })),
    consents: await exportConsents(sql, person),
  };
}
