import { createRoute, OpenAPIHono } from '@hono/zod-openapi';
import { z } from 'zod';
import {
  BLOCK_KINDS,
  type BlockedSenderRow,
  type Blocking,
  blockSender,
  listBlockedSenders,
  unblockSender,
} from '../../core/customers/blocked-senders.ts';
import { invalidField } from '../../core/errors.ts';
import type { ApiDeps, ApiEnv } from '../deps.ts';
import { commitAnswer } from '../idempotency.ts';
import { body, errors, json } from '../openapi.ts';
import { page, pageOf, pageQuery, pageWindow } from '../pagination.ts';
import { idParam, maybe, uuid } from '../validate.ts';

const blockedSender = z.object({
  id: z.string(),
  kind: z.enum(BLOCK_KINDS),
  customer_id: z.string().nullable(),
  address: z.string().nullable(),
  domain: z.string().nullable(),
  reason: z.string().nullable(),
  agent_id: z.string().nullable().meta({ description: 'Who blocked them.' }),
  created_at: z.string(),
});

const tags = ['Blocked senders'];

const list = createRoute({
  method: 'get',
  path: '/blocked-senders',
  tags,
  summary: 'List whom the business blocks, the last one first',
  request: {
    query: pageQuery.extend({ kind: z.enum(BLOCK_KINDS).optional(), customer_id: uuid.optional() }),
  },
  responses: { 200: json('A page of blocked senders', pageOf(blockedSender)), ...errors },
});

const block = createRoute({
  method: 'post',
  path: '/blocked-senders',
  tags,
  summary: 'Block a person, an address or a domain on every channel',
  description:
    'What they write is kept raw and listed as `ignored` at `/inbound-events`; it opens and reopens nothing, and can be replayed once they are let in again. Exactly one of `customer_id`, `address` and `domain`.',
  request: {
    body: body(
      z.object({
        customer_id: maybe(uuid),
        address: maybe(z.string().trim().min(1).max(320)).meta({
          description: 'An email, a phone number with its country, or any id of a channel.',
        }),
        domain: maybe(z.string().trim().min(1).max(255)).meta({
          description: 'Of email addresses; those below it too.',
        }),
        reason: z.string().trim().max(500).nullable().optional(),
      }),
      { domain: 'advertising.example', reason: 'Advertising' },
    ),
  },
  responses: { 201: json('The blocked sender', blockedSender), ...errors },
});

const unblock = createRoute({
  method: 'delete',
  path: '/blocked-senders/{id}',
  tags,
  summary: 'Let a blocked sender in again',
  request: { params: idParam },
  responses: { 204: { description: 'They are let in again' }, ...errors },
});

/** Whom the business does not want to hear. */
export function blockedSenderRoutes({ pool, secrets, wake }: ApiDeps): OpenAPIHono<ApiEnv> {
  const app = new OpenAPIHono<ApiEnv>();

  app.openapi(list, async (c) => {
    const { kind, customer_id, ...query } = c.req.valid('query');
    const window = pageWindow(query, secrets, 'blocked-senders');
    const filter = { businessId: c.var.actor.businessId, kind, customerId: customer_id };
    const rows = await listBlockedSenders(pool, filter, window);
    return c.json(page([...rows], { window, secrets, keyOf: (row) => [row.id], view }), 200);
  });

  app.openapi(block, async (c) => {
    const { reason = null, ...input } = c.req.valid('json');
    const whom = oneOf(input);
    const answer = await commitAnswer(c, 201, async (tx) =>
      view(await blockSender(tx, { whom, reason, actor: c.var.actor })),
    );
    wake.notify('blocked');
    return c.json(answer, 201);
  });

  app.openapi(unblock, async (c) => {
    const { id } = c.req.valid('param');
    await c.var.transact((tx) => unblockSender(tx, c.var.actor, id));
    wake.notify('blocked');
    return c.body(null, 204);
  });

  return app;
}

interface Input {
  customer_id?: string | undefined;
  address?: string | undefined;
  domain?: string | undefined;
}

function oneOf({ customer_id, address, domain }: Input): Blocking {
  const [whom, ...others] = [
    ...(customer_id === undefined ? [] : [{ customerId: customer_id }]),
    ...(address === undefined ? [] : [{ address }]),
    ...(domain === undefined ? [] : [{ domain }]),
  ];
  if (whom === undefined || others.length > 0) {
    throw invalidField('body', 'needs exactly one of customer_id, address and domain');
  }
  return whom;
}

function view(row: BlockedSenderRow): z.infer<typeof blockedSender> {
  const { id, kind, value, customer_id, reason, agent_id, created_at } = row;
  return {
    id,
    kind,
    customer_id,
    address: kind === 'address' ? value : null,
    domain: kind === 'domain' ? value : null,
    reason,
    agent_id,
    created_at: created_at.toISOString(),
  };
}
