import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PayloadEvent, payloadOf } from '../../src/webhooks/payload.ts';

const CUSTOMER = { id: 'visitor-123', email: 'john@example.com', name: 'John', phone: null };

const wholeUrl = () => 'https://chat.example.com/api/v1/events?after=x&limit=1';

function event(type: string, data: object): PayloadEvent {
  const occurred_at = new Date('2024-01-15T10:00:00.000Z');
  return { id: 'evt-1', business_id: 'biz-1', type, occurred_at, data: data as PayloadEvent['data'] };
}

function message(fields: object) {
  return {
    id: 'msg-123',
    type: 'text',
    sender_type: 'customer',
    content: 'I need help with billing',
    card: null,
    ...fields,
  };
}

function support(type: string, data: object) {
  return JSON.parse(payloadOf(event(type, data), { dialect: 'support', wholeUrl }));
}

describe('the native payload', () => {
  it('carries the event whole, with version and business', () => {
    const data = { message: message({}), customer: CUSTOMER };
    expect(JSON.parse(payloadOf(event('message.received', data), { dialect: 'native', wholeUrl }))).toEqual({
      id: 'evt-1',
      type: 'message.received',
      timestamp: '2024-01-15T10:00:00.000Z',
      version: 1,
      business_id: 'biz-1',
      data,
    });
  });
});

describe("the second dialect's payload", () => {
  it('is as printed', () => {
    const conversation = { id: 'conv-123', status: 'open', customer: CUSTOMER };
    expect(support('message.received', { conversation, message: message({}), customer: CUSTOMER })).toEqual({
      event: 'message.received',
      timestamp: '2024-01-15T10:00:00.000Z',
      conversation: { id: 'conv-123', status: 'open' },
      message: { id: 'msg-123', type: 'visitor', content: 'I need help with billing' },
      visitor: { id: 'visitor-123', email: 'john@example.com' },
    });
  });

  it.each([
    [{ sender_type: 'customer' }, 'visitor'],
    [{ sender_type: 'agent' }, 'agent'],
    [{ sender_type: 'bot' }, 'system'],
    [{ sender_type: 'system', type: 'activity' }, 'system'],
    [{ sender_type: 'agent', type: 'note' }, 'note'],
  ])('names the author of %j', (fields, type) => {
    expect(support('message.created', { message: message(fields) }).message.type).toBe(type);
  });

  it('has the object of a card as content, and the visitor of the conversation', () => {
    const card = { title: 'Plans', actions: [] };
    const conversation = { id: 'c', status: 'open', customer: CUSTOMER };
    const payload = support('message.created', { conversation, message: message({ type: 'card', card }) });
    expect(payload.message.content).toEqual(card);
    expect(payload.visitor.id).toBe('visitor-123');
  });

  it('has null for what an event does not have, and its other facts under data', () => {
    expect(support('agent.status_changed', { agent: { id: 'a' } })).toMatchObject({
      conversation: null,
      message: null,
      visitor: null,
      data: { agent: { id: 'a' } },
    });
  });
});

describe('a payload that has no room for everything', () => {
  const large = 'ü'.repeat(40_000);
  const fields = { html: large, text_full: large, content: large, card: { body: large }, metadata: {} };

  it('keeps ids, states and the beginning of texts, and names what it left out, the largest first', () => {
    const data = {
      message: message({ ...fields, status: 'sent' }),
      customer: { ...CUSTOMER, custom_attributes: { a: 1 } },
    };
    const text = payloadOf(event('message.created', data), { dialect: 'native', wholeUrl });
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
    const payload = JSON.parse(text);
    expect(payload.data.message).toMatchObject({ id: 'msg-123', status: 'sent', metadata: {} });
    expect(payload.data.message.content).toBe('ü'.repeat(1_024));
    expect(payload.data.customer).toEqual(data.customer);
    expect(payload.omitted.map(({ path }: { path: string }) => path).sort()).toEqual([
      'data.message.card',
      'data.message.content',
      'data.message.html',
      'data.message.text_full',
    ]);
    expect(payload.omitted[0].bytes).toBeGreaterThan(80_000);
    expect(payload.whole_url).toBe(wholeUrl());
  });

  it('fits in the second dialect too', () => {
    const conversation = { id: 'conv-123', status: 'open', customer: CUSTOMER };
    const body = support('message.created', { conversation, message: message(fields), customer: CUSTOMER });
    expect(JSON.stringify(body).length).toBeLessThan(65_536);
    expect(body).toMatchObject({
      message: { id: 'msg-123', content: {} },
      omitted: [{ path: 'message.content' }],
    });
  });

  it('is whole where it fits, and never half of a character', () => {
    const small = payloadOf(event('message.created', { message: message({}) }), {
      dialect: 'native',
      wholeUrl,
    });
    expect(JSON.parse(small)).not.toHaveProperty('omitted');
    const emoji = `x${'👋'.repeat(40_000)}`;
    const text = payloadOf(event('message.created', { message: message({ content: emoji }) }), {
      dialect: 'native',
      wholeUrl,
    });
    expect(JSON.parse(text).data.message.content.isWellFormed()).toBe(true);
  });

  it('fits whatever an event holds', () => {
    const anything = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }), { maxKeys: 50 });
    fc.assert(
      fc.property(anything, fc.integer({ min: 0, max: 90_000 }), (extra, size) => {
        const data = { message: message({ metadata: extra, content: 'x'.repeat(size) }), customer: CUSTOMER };
        const text = payloadOf(event('message.created', data), { dialect: 'native', wholeUrl });
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(65_536);
        expect(JSON.parse(text)).toMatchObject({ id: 'evt-1', data: { message: { id: 'msg-123' } } });
      }),
      { numRuns: 50 },
    );
  });
});
