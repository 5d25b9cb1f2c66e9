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
