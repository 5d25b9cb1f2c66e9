import { z } from 'zod';
import type { AttachmentRef, InboundMessage } from '../../../core/envelope.ts';
import type { WhatsAppMessage } from './webhook.ts';

/** What a message says, whatever its type. */
export type Content = Pick<InboundMessage, 'type' | 'content' | 'attachments' | 'pressed' | 'metadata'>;

type Message = Pick<WhatsAppMessage, 'type' | 'errors'> & Record<string, unknown>;

/** Reads what was sent; a type that nobody knows yet is kept with all that it brought. */
export function readContent(message: Message): Content {
  return READERS[message.type]?.(message[message.type]) ?? unsupported(message);
}

type Reader = (payload: unknown) => Content | undefined;

const optional = <T extends z.ZodType>(schema: T) => schema.nullish().catch(undefined);
const text = optional(z.string());
const numeric = z.union([z.number(), z.string().transform(Number)]).pipe(z.number());

const file = z.object({
  id: z.union([z.string().min(1), z.number().transform(String)]),
  mime_type: text,
  sha256: text,
  caption: text,
  filename: text,
  voice: optional(z.boolean()),
  animated: optional(z.boolean()),
});

const READERS: Record<string, Reader> = {
  text: reader(z.object({ body: z.string() }), ({ body }) => ({ type: 'text', content: body })),
  image: media('image', 'jpg'),
  video: media('video', 'mp4'),
  audio: media('audio', 'ogg'),
  document: media('document', 'bin'),
  sticker: media('sticker', 'webp'),
  location: reader(
    z.object({ latitude: numeric, longitude: numeric, name: text, address: text, url: text }),
    (location) => {
      const { latitude, longitude, name, address } = location;
      const place = [name, address].filter(Boolean).join(', ');
      const point = `${latitude}, ${longitude}`;
      return {
        type: 'location',
        content: place === '' ? point : `${place} (${point})`,
        metadata: { location: defined(location) },
      };
    },
  ),
  contacts: reader(z.array(sharedContact()).min(1), (contacts) => ({
    type: 'contact',
    content: contacts.map(contactLine).join('\n'),
    metadata: { contacts },
  })),
  interactive: readInteractive,
  button: reader(z.object({ text: text, payload: text }), ({ text: label, payload }) => ({
    type: 'text',
    content: label ?? payload ?? '',
    ...(payload ? { pressed: payload } : {}),
  })),
  order: reader(order(), ({ text: note, product_items: items, catalog_id }) => ({
    type: 'text',
    content: [...(note ? [note] : []), ...items.map(orderLine)].join('\n'),
    metadata: { order: { catalog_id, product_items: items } },
  })),
};

function reader<T>(schema: z.ZodType<T>, read: (payload: T) => Content): Reader {
  return (payload) => {
    const parsed = schema.safeParse(payload);
    return parsed.success ? read(parsed.data) : undefined;
  };
}

function media(kind: string, extension: string): Reader {
  return reader(file, ({ id, mime_type, sha256, caption, filename, voice, animated }) => {
    const attachment: AttachmentRef = {
      name: filename || `${kind}.${extensionOf(mime_type) ?? extension}`,
      ...(mime_type ? { contentType: mime_type } : {}),
      ref: { media_id: id, ...(sha256 ? { sha256 } : {}) },
    };
    return {
      type: 'attachment',
      content: caption ?? '',
      attachments: [attachment],
      metadata: { whatsapp_type: kind, ...(voice ? { voice } : {}), ...(animated ? { animated } : {}) },
    };
  });
}

const EXTENSIONS: Record<string, string> = {
  'image/jpeg': 'jpg',
  'image/png': 'png',
  'video/mp4': 'mp4',
  'video/3gpp': '3gp',
  'audio/aac': 'aac',
  'audio/amr': 'amr',
  'audio/mpeg': 'mp3',
  'audio/mp4': 'm4a',
  'application/pdf': 'pdf',
};

function extensionOf(mimeType: string | null | undefined): string | undefined {
  return EXTENSIONS[mimeType?.split(';')[0]?.trim() ?? ''];
}

function sharedContact() {
  const number = z.looseObject({ phone: text, wa_id: text });
  return z.looseObject({
    name: optional(z.looseObject({ formatted_name: text, first_name: text })),
    phones: optional(z.array(number)),
  });
}

function contactLine({ name, phones }: z.infer<ReturnType<typeof sharedContact>>): string {
  const numbers = (phones ?? []).map(({ phone, wa_id }) => phone ?? (wa_id ? `+${wa_id}` : undefined));
  return [name?.formatted_name ?? name?.first_name, ...numbers].filter(Boolean).join(', ');
}

function order() {
  const amount = optional(z.union([z.number(), z.string()]));
  const item = z.looseObject({
    product_retailer_id: z.string(),
    quantity: amount,
    item_price: amount,
    currency: text,
  });
  return z.object({ catalog_id: text, text, product_items: z.array(item) });
}

function orderLine(item: z.infer<ReturnType<typeof order>>['product_items'][number]): string {
  const { product_retailer_id: product, quantity, item_price: price, currency } = item;
  const each = price == null ? '' : ` (${price}${currency ? ` ${currency}` : ''} each)`;
  return `${quantity ?? 1} × ${product}${each}`;
}

const interactive = z.object({
  button_reply: optional(z.object({ id: z.string(), title: text })),
  list_reply: optional(z.object({ id: z.string(), title: text, description: text })),
  nfm_reply: optional(z.object({ name: text, body: text, response_json: text })),
  call_permission_reply: optional(z.looseObject({ response: text })),
});

/** May come without its inner object, when Meta itself could not read it. */
function readInteractive(payload: unknown): Content | undefined {
  const { button_reply, list_reply, nfm_reply, call_permission_reply } =
    interactive.safeParse(payload).data ?? {};
  const reply = button_reply ?? list_reply;
  if (reply) return { type: 'text', content: reply.title ?? '', pressed: reply.id };
  if (nfm_reply) {
    const form = { name: nfm_reply.name ?? null, response: jsonOr(nfm_reply.response_json ?? '') };
    return { type: 'text', content: nfm_reply.body || nfm_reply.name || 'Form', metadata: { form } };
  }
  if (call_permission_reply) {
    const answer = call_permission_reply.response ?? 'answered';
    return {
      type: 'text',
      content: `Calls: ${answer}`,
      metadata: { call_permission: call_permission_reply },
    };
  }
  return undefined;
}

function jsonOr(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
}

function unsupported(message: Message): Content {
  const raw = Object.fromEntries(Object.entries(message).filter(([key]) => !ENVELOPE_KEYS.has(key)));
  const { data } = z.object({ type: z.string() }).safeParse(message['unsupported']);
  return {
    type: 'unsupported',
    content: `[${(data?.type ?? message.type).replaceAll('_', ' ')}]`,
    metadata: { whatsapp_type: message.type, raw },
  };
}

/** Members that say who, where and when; whatever else a message has is its content. */
const ENVELOPE_KEYS = new Set(
  'id type timestamp from from_user_id from_parent_user_id to to_user_id group_id context referral'.split(
    ' ',
  ),
);

function defined(values: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(values).filter(([, value]) => value !== undefined && value !== null),
  );
}
