import { z } from 'zod';
import type { Channel } from '../../../core/adapter.ts';
import type { OutboundAttachment, Part, SentPart } from '../../../core/envelope.ts';
import { SendRejected } from '../../../core/errors.ts';
import { GraphUnreachable, sendError } from './errors.ts';
import type { Graph } from './graph.ts';
import { LIMITS, type MediaKind, takesCaption, uploadType } from './limits.ts';
import { recipientOf } from './people.ts';
import { callbackData } from './receipts.ts';
import type { CloudSettings } from './settings.ts';
import type { Payload } from './split.ts';
import { templateBody } from './template-body.ts';

const UPLOAD_TIMEOUT_MS = 120_000;

interface Sending {
  graph: Graph;
  channel: Channel<CloudSettings>;
  signal: AbortSignal;
}

/** Sends one part: its file first, which the message then names. */
export async function send(part: Part, sending: Sending): Promise<SentPart> {
  const recipient = recipientOf(part.threadKey);
  if (recipient === undefined) throw new SendRejected(`"${part.threadKey}" is nobody on WhatsApp.`);
  const payload = part.payload as unknown as Payload;
  try {
    const json = {
      messaging_product: 'whatsapp',
      ...recipient,
      ...(await contentOf(part, payload, sending)),
      ...(payload.replyTo === undefined ? {} : { context: { message_id: payload.replyTo } }),
      biz_opaque_callback_data: callbackData(payload.message, part.n),
    };
    const { channel, graph, signal } = sending;
    const path = `${channel.settings.phone_number_id}/messages`;
    const answer = await graph(channel.settings, { method: 'POST', path, json, signal });
    return sentPart(answer, part.threadKey);
  } catch (error) {
    throw sendError(error);
  }
}

const accepted = z.object({
  messages: z.tuple([z.object({ id: z.string().min(1) })]),
  contacts: z.array(z.object({ wa_id: z.string().optional().catch(undefined) })).catch([]),
});

/** The number may be known by another form, which is where its owner's answers come from. */
function sentPart(answer: unknown, threadKey: string): SentPart {
  const parsed = accepted.safeParse(answer);
  if (!parsed.success)
    throw new GraphUnreachable('its answer names no message', { written: true, isForbidden: false });
  const { messages, contacts } = parsed.data;
  const waId = contacts[0]?.wa_id;
  const isOther =
    waId !== undefined && threadKey.startsWith('+') && `+${waId}` !== threadKey && /^\d+$/.test(waId);
  return { externalId: messages[0].id, ...(isOther ? { newThreadKey: `+${waId}` } : {}) };
}

async function contentOf(part: Part, payload: Payload, sending: Sending): Promise<Record<string, unknown>> {
  const { template, interactive, media, text } = payload;
  const [file] = part.attachments;
  if (template !== undefined) {
    const header = file === undefined ? undefined : await fileOf(file, sending);
    return { type: 'template', template: templateBody(template, header) };
  }
  if (interactive !== undefined) return { type: 'interactive', interactive };
  if (media !== undefined) return mediaOf(await readyFile(file, sending), { media, file, text });
  return { type: 'text', text: { body: text, preview_url: /https?:\/\//.test(text) } };
}

async function readyFile(file: OutboundAttachment | undefined, sending: Sending) {
  if (file === undefined) throw new SendRejected('A file of this message is gone.');
  return fileOf(file, sending);
}

interface Shown {
  media: MediaKind;
  file: OutboundAttachment | undefined;
  text: string;
}

function mediaOf(where: Record<string, string>, { media, file, text }: Shown): Record<string, unknown> {
  return {
    type: media,
    [media]: {
      ...where,
      ...(takesCaption(media) && text !== '' ? { caption: text } : {}),
      ...(media === 'document' && file !== undefined ? { filename: file.name } : {}),
    },
  };
}

/** Uploaded to Meta, or at our own address where the channel says so or no upload is taken, and Meta can reach it. */
async function fileOf(file: OutboundAttachment, sending: Sending): Promise<Record<string, string>> {
  if ((file.sizeBytes ?? 0) > LIMITS.outboundBytes)
    throw new SendRejected(`"${file.name}" is over WhatsApp's limit of 100 MB.`);
  const { settings } = sending.channel;
  const type = uploadType(file.contentType);
  if ((settings.media === 'link' || type === undefined) && file.url.startsWith('https://'))
    return { link: file.url };
  if (type === undefined)
    throw new SendRejected(
      `WhatsApp takes no uploads of "${file.name}" (${file.contentType}); where PUBLIC_URL is a public https address it can fetch them.`,
    );
  return { id: await upload(file, type, sending) };
}

const uploaded = z.object({ id: z.string().min(1) });

async function upload(
  file: OutboundAttachment,
  type: string,
  { graph, channel, signal }: Sending,
): Promise<string> {
  const form = new FormData();
  form.set('messaging_product', 'whatsapp');
  form.set('type', type);
  form.set('file', new Blob([Buffer.from(await file.open())], { type }), file.name);
  const path = `${channel.settings.phone_number_id}/media`;
  try {
    const timeoutMs = UPLOAD_TIMEOUT_MS;
    return uploaded.parse(await graph(channel.settings, { method: 'POST', path, form, signal, timeoutMs }))
      .id;
  } catch (error) {
    // A file that may have arrived is no message that may have: it is simply uploaded again.
    if (error instanceof GraphUnreachable && !error.isForbidden)
      throw new GraphUnreachable(error.message, { written: false, isForbidden: false });
    throw error;
  }
}
