import type { OpenAPIHono } from '@hono/zod-openapi';
import { sample } from 'openapi-sampler';

type Document = ReturnType<OpenAPIHono['getOpenAPI31Document']>;

/** A schema or a piece of one, as it stands in the document. */
type Json = Record<string, unknown>;

// What fields show in examples where their schema says no more than their type; null where they mostly are.
const BY_NAME: Readonly<Record<string, unknown>> = {
  action: 'track',
  address: '+4915112345678',
  api_key: 'trk_live_examplekeythatopensnothing00000',
  bcc: [],
  blocked_by: null,
  business_id: '01a1fcd1-690f-71ab-9bbe-c266dd213681',
  canceled_at: null,
  cc: [],
  channel_id: '01a1fcd1-8b4f-72f6-85bd-9d6a7784f1d6',
  channel_type: 'telegram',
  client_message_id: null,
  closed_at: null,
  color: '#0b7285',
  content: 'Where is my order?',
  content_type: 'image/jpeg',
  conversation_id: '01a1fcd2-0f41-7cc0-9a3e-5f2f6a0c1b7d',
  custom_attributes: { plan: 'pro' },
  customer_id: '01a1fcd2-0f3e-7a11-8d0b-3f8a4c6e9b21',
  deleted_at: null,
  description: 'Orders',
  edited_at: null,
  email: 'ada@example.com',
  emails: ['ada@example.com'],
  error: null,
  events: ['message.received'],
  expires_at: '2036-01-01T00:00:00.000Z',
  external_id: 'order-system-4711',
  field: 'message.content',
  filter: { 'message.sender_type': 'customer' },
  handoff_reason: null,
  headers: { Authorization: 'Bearer your-own-token' },
  html: null,
  label: 'Track it',
  logo_url: 'https://example.com/logo.png',
  message: 'Your order left the warehouse this morning.',
  merged_into_id: null,
  name: 'Ada Lovelace',
  next_attempt_at: null,
  next_cursor: null,
  open_card: null,
  phone: '+4915112345678',
  phones: ['+4915112345678'],
  priority: 'high',
  provider_code: null,
  reason: 'The customer asks for a person',
  reopen: 'always',
  reply_to_id: null,
  request_id: '01a1fcd3-51aa-7f5e-a3d4-77b3a1a0c9ef',
  resolved_at: null,
  // Whoever tries the example out loses nothing.
  retention_messages_days: null,
  send_at: '2036-01-01T00:00:00.000Z',
  sender_id: null,
  shortcut: 'hello',
  size: 48213,
  snoozed_until: null,
  subject: 'Order 4711',
  tag: 'orders',
  tags: ['orders'],
  text_full: null,
  timezone: 'Europe/Berlin',
  title: 'Order 4711',
  until: '2036-01-01T00:00:00.000Z',
  url: 'https://example.com/hooks/tributary',
};

const ID = '01a1fcd2-1c07-7b52-b6f4-0a9d5e8c7f13';
const TIME = '2026-11-21T09:30:00.000Z';

/** Gives every JSON body and answer of the document an example, made from its schema and the names of its fields. */
export function addExamples(document: Document): Document {
  nameValues(document as unknown as Json);
  for (const item of Object.values(document.paths ?? {})) {
    for (const operation of Object.values(item as Record<string, Json>)) {
      for (const content of contentsOf(operation)) {
        content['example'] ??= sample(
          content['schema'] as Json,
          { quiet: true, skipReadOnly: false },
          document,
        );
      }
    }
  }
  return document;
}

/** The JSON of an operation: its body, and its answers other than refusals, which are all alike. */
function contentsOf(operation: Json): Json[] {
  const responses = Object.entries((operation['responses'] ?? {}) as Record<string, Json>);
  const described = [
    operation['requestBody'] as Json | undefined,
    ...responses.filter(([status]) => Number(status) < 400).map(([, response]) => response),
  ];
  return described.flatMap((one) => {
    const json = (one?.['content'] as Record<string, Json> | undefined)?.['application/json'];
    return json?.['schema'] === undefined ? [] : [json];
  });
}

function nameValues(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const { properties } = value as Json;
  if (typeof properties === 'object' && properties !== null) {
    for (const [name, schema] of Object.entries(properties)) giveExample(name, schema as Json);
  }
  for (const inner of Object.values(value)) nameValues(inner);
}

function giveExample(name: string, schema: Json): void {
  if (['example', 'examples', 'default', 'const', 'enum', '$ref'].some((key) => key in schema)) return;
  const example = exampleFor(name, schema);
  if (example !== undefined && accepts(schema, example)) schema['examples'] = [example];
}

function exampleFor(name: string, schema: Json): unknown {
  if (name in BY_NAME) return BY_NAME[name];
  const format = typesOf(schema).format;
  if (format === 'uuid' || name === 'id' || /_id$/.test(name)) return ID;
  if (format === 'date-time' || /_at$|_until$|^since$|^timestamp$/.test(name)) return TIME;
  return undefined;
}

/** Whether an example of this kind may stand here, as far as the types say. */
function accepts(schema: Json, example: unknown): boolean {
  const { types } = typesOf(schema);
  if (example === null) return types.has('null');
  if (Array.isArray(example)) return types.has('array');
  if (typeof example === 'number') return types.has('integer') || types.has('number');
  return types.has(typeof example);
}

function typesOf(schema: Json): { types: Set<unknown>; format: unknown } {
  const either = [schema, ...((schema['anyOf'] as Json[] | undefined) ?? [])];
  return {
    types: new Set(either.flatMap((one) => one['type'] ?? [])),
    format: either.find((one) => one['format'] !== undefined)?.['format'],
  };
}
