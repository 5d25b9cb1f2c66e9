import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { EVENT_TYPES } from '../../src/core/events.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type Receiver, startReceiver } from './support/receiver.ts';

/* The schemas that subscribers build on, held against what really arrives. */

interface Catalogue {
  data: { type: string; summary: string; schema: object }[];
}

interface Document {
  webhooks: Record<
    string,
    { post: { requestBody: { content: { 'application/json': { schema: object } } } } }
  >;
  components: object;
}

let gateway: TestGateway;
let native: Receiver;
let support: Receiver;

beforeAll(async () => {
  gateway = await startTestGateway();
  native = await startReceiver();
  support = await startReceiver();
  await gateway.call('POST', '/api/v1/webhook-endpoints', { url: native.url, events: ['*'] });
  await gateway.call('POST', '/api/support/webhooks', { url: support.url, events: ['*'] });
  await live();
});
afterAll(async () => {
  await gateway.stop();
  await native.close();
  await support.close();
});

/** A customer, a conversation and most of what can happen to it. */
async function live(): Promise<void> {
  type Made = { id: string };
  const { body: customer } = await gateway.call<Made>('POST', '/api/v1/customers', {
    name: 'Ada',
    email: 'ada@example.com',
    custom_attributes: { plan: 'gold' },
  });
  const start = { business_id: gateway.businessId, customer_id: customer.id, initial_message: 'Hello' };
  const { body: conversation } = await gateway.call<Made>('POST', '/api/v1/conversations/', start);
  const path = `/api/v1/conversations/${conversation.id}`;
  const steps: [string, string, object?][] = [
    ['POST', `${path}/messages`, { content: 'How can we help?' }],
    ['POST', `${path}/reply`, { message: 'A note', type: 'note' }],
    ['POST', `${path}/tags`, { tags: ['vip'] }],
    ['PUT', `${path}/assign/${gateway.agentId}`],
    ['POST', `${path}/assign`, { assignee_id: null }],
    ['POST', `${path}/handoff`, { reason: 'asks for a person' }],
    ['PATCH', path, { priority: 'high' }],
    ['POST', `${path}/snooze`, { until: '2099-01-01T00:00:00Z' }],
    ['PUT', `${path}/reopen`],
    ['PUT', `${path}/resolve`],
    ['PUT', `${path}/close`],
    ['PATCH', `/api/v1/customers/${customer.id}`, { name: 'Ada Lovelace' }],
    ['PATCH', '/api/v1/team/status', { status: 'away' }],
  ];
  for (const [method, step, body] of steps) {
    const answer = await gateway.call(method, step, body);
    expect([method, step, answer.status < 300]).toEqual([method, step, true]);
  }
  await eventually(async () => {
    // At one moment: what has left the outbox is a delivery.
    const waiting = await gateway.pool`
      select 1 from outbox union all select 1 from deliveries where status = 'pending'`;
    expect(waiting).toHaveLength(0);
  });
}

function validator() {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return ajv;
}

describe('the catalogue of events', () => {
  it('has a summary and a schema for every type, and no other', async () => {
    const { body } = await gateway.call<Catalogue>('GET', '/api/v1/event-types');
    expect(body.data.map(({ type }) => type).sort()).toEqual([...EVENT_TYPES].sort());
    for (const { summary, schema } of body.data) {
      expect(summary).toMatch(/^[A-Z]/);
      expect(() => validator().compile(schema)).not.toThrow();
    }
  });

  it('describes each payload as it arrives', async () => {
    const { body } = await gateway.call<Catalogue>('GET', '/api/v1/event-types');
    const schemas = new Map(body.data.map(({ type, schema }) => [type, validator().compile(schema)]));
    const types = new Set<string>();
    for (const request of native.received) {
      const payload = JSON.parse(request.body);
      const validate = schemas.get(payload.type);
      expect(validate?.(payload), `${payload.type}: ${JSON.stringify(validate?.errors)}`).toBe(true);
      types.add(payload.type);
    }
    expect(types.size).toBeGreaterThanOrEqual(14);
    const wrong = { ...JSON.parse(native.received[0]?.body ?? ''), version: 2 };
    expect(schemas.get(wrong.type)?.(wrong)).toBe(false);
  });

  it("describes the second dialect's payload", async () => {
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document;
    const ajv = validator().addSchema({ $id: 'openapi', ...document } as object);
    const validate = ajv.compile({
      $ref: 'openapi#/webhooks/support/post/requestBody/content/application~1json/schema',
    });
    expect(support.received.length).toBe(native.received.length);
    for (const { body } of support.received)
      expect(validate(JSON.parse(body)), JSON.stringify(validate.errors)).toBe(true);
  });

  it('stands in the OpenAPI document as webhooks', async () => {
    const document = (await (await fetch(`${gateway.url}/openapi.json`)).json()) as Document;
    expect(Object.keys(document.webhooks).sort()).toEqual([...EVENT_TYPES, 'support'].sort());
    const ajv = validator().addSchema({ $id: 'openapi', ...document } as object);
    for (const { body } of native.received) {
      const payload = JSON.parse(body);
      const pointer = `openapi#/webhooks/${payload.type}/post/requestBody/content/application~1json/schema`;
      const validate = ajv.getSchema(pointer);
      expect(validate?.(payload), `${payload.type}: ${JSON.stringify(validate?.errors)}`).toBe(true);
    }
  });
});
