import { createHmac } from 'node:crypto';
import type { Json } from './rules.ts';

export interface FakePerson {
  waId?: string;
  userId?: string;
  name?: string;
}

let counter = 0;

/** An id as Meta gives one to a message. */
export function wamid(): string {
  counter += 1;
  return `wamid.${Buffer.from(`${process.pid}:${Date.now()}:${counter}`).toString('base64')}`;
}

/** A message of a customer as a webhook brings it; `content` holds what its type needs. */
export function customerMessage(person: FakePerson, content: Json, fields: Json = {}): Json {
  return {
    ...(person.waId === undefined ? {} : { from: person.waId }),
    ...(person.userId === undefined ? {} : { from_user_id: person.userId }),
    id: wamid(),
    timestamp: String(Math.floor(Date.now() / 1000)),
    type: Object.keys(content)[0],
    ...content,
    ...fields,
  };
}

export function textMessage(person: FakePerson, body: string, fields: Json = {}): Json {
  return customerMessage(person, { text: { body } }, fields);
}

export function contactOf({ waId, userId, name = 'Kerry Fisher' }: FakePerson): Json {
  return {
    profile: { name },
    ...(waId === undefined ? {} : { wa_id: waId }),
    ...(userId === undefined ? {} : { user_id: userId }),
  };
}

/** One change of one number. */
export function change(phoneNumberId: string, value: Json, field = 'messages'): Json {
  return {
    value: {
      messaging_product: 'whatsapp',
      metadata: { display_phone_number: '15550783881', phone_number_id: phoneNumberId },
      ...value,
    },
    field,
  };
}

export function webhook(...changes: Json[]): Json {
  return { object: 'whatsapp_business_account', entry: [{ id: '102290129340398', changes }] };
}

/** The signature that Meta puts beside a body, over its raw bytes. */
export function signatureOf(body: Uint8Array | string, appSecret: string): string {
  return `sha256=${createHmac('sha256', appSecret).update(body).digest('hex')}`;
}

/** Non-ASCII letters leave Meta escaped. */
export function encode(body: unknown): Buffer {
  const json = JSON.stringify(body).replace(
    /[\u007f-\uffff]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
  return Buffer.from(json);
}
