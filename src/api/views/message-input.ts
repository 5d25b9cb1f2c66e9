import { z } from 'zod';
import type { AttachmentDraft } from '../../core/attachments/attach.ts';
import { cardText } from '../../core/cards.ts';
import type { Card } from '../../core/envelope.ts';
import { invalidField } from '../../core/errors.ts';
import type { Draft } from '../../core/messages/queue-message.ts';
import { templateInput } from '../../core/template.ts';
import { cardView } from '../../core/views/message.ts';
import { maybe, time, uuid } from '../validate.ts';

const MAX_CONTENT = 100_000;
const MAX_ATTACHMENTS = 20;

const text = z.string().max(MAX_CONTENT);
const address = z
  .string()
  .trim()
  .max(320)
  .regex(/^[^\s@]+@[^\s@]+$/, 'must be an email address');
const url = z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).max(4_000);

const attachment = z.union([
  url,
  z
    .object({
      id: maybe(uuid),
      url: maybe(url),
      name: maybe(z.string().max(255)),
      type: maybe(z.string().max(255)),
      size: maybe(z.number().int().nonnegative()),
    })
    .refine((one) => one.id !== undefined || one.url !== undefined, { path: ['url'], error: 'is required' }),
]);

/** The attachments of a message. */
export const attachmentsInput = z.array(attachment).max(MAX_ATTACHMENTS).meta({
  description: 'Addresses: what an upload answered, an attachment of ours, or any public http(s) address.',
});

/** What every way of writing a message takes. */
export const messageInput = z.object({
  content: maybe(z.union([text, cardView], 'must be a text or a card')).meta({
    description: 'The text; with type `card` the card itself may stand here.',
  }),
  html: maybe(text),
  type: maybe(z.enum(['text', 'attachment', 'card', 'note', 'template'])),
  card: maybe(cardView),
  attachments: maybe(attachmentsInput),
  reply_to_id: maybe(uuid),
  subject: maybe(z.string().max(500)),
  cc: maybe(z.array(address).max(50)),
  bcc: maybe(z.array(address).max(50)),
  send_at: maybe(time).meta({ description: 'Send it then; a time in the past means at once.' }),
  cancel_on_reply: maybe(z.boolean()).meta({
    description: 'With `send_at`: not if the customer writes before.',
  }),
  if_last_seq: maybe(z.number().int().nonnegative()).meta({
    description: 'Refused with 409 when a message other than a note came after this seq.',
  }),
  if_assignee_id: maybe(z.union([z.literal('none'), uuid])).meta({
    description:
      'Refused with 409 when another agent or team has the conversation; `none`: when anybody has.',
  }),
  client_message_id: maybe(z.string().min(1).max(200)).meta({
    description: 'The same one again is the same message.',
  }),
  template: maybe(templateInput).meta({
    description: 'An approved template instead of a text, which may be sent at any time.',
  }),
});
export type MessageInput = Partial<z.infer<typeof messageInput>>;

/** The message that a request describes. Throws a refusal that names the field when it says nothing. */
export function draftOf(input: MessageInput): Draft {
  const found = cardOf(input);
  const content = typeof input.content === 'string' ? input.content : '';
  const attachments = draftAttachments(input.attachments);
  const isEmpty = content.trim() === '' && found === undefined && attachments.length === 0;
  refuseAgainstType(input, { hasCard: found !== undefined, hasFiles: attachments.length > 0 });
  if (input.template !== undefined) refuseBesideTemplate(input);
  if (isEmpty && input.template === undefined) throw invalidField('content', 'is required');
  return {
    content: found === undefined ? content : cardText(found, content.trim() === '' ? undefined : content),
    note: input.type === 'note',
    html: input.html,
    card: found,
    attachments,
    replyToId: input.reply_to_id,
    email: emailOf(input),
    sendAt: input.send_at === undefined ? undefined : new Date(input.send_at),
    cancelOnReply: input.cancel_on_reply,
    ifLastSeq: input.if_last_seq,
    ifAssigneeId: input.if_assignee_id,
    clientMessageId: input.client_message_id,
    template: input.template,
  };
}

function refuseAgainstType(
  { type, send_at }: MessageInput,
  { hasCard, hasFiles }: { hasCard: boolean; hasFiles: boolean },
): void {
  if (type === 'card' && !hasCard) throw invalidField('card', 'is required with type card');
  if (type === 'note' && send_at !== undefined)
    throw invalidField('send_at', 'is not for notes: nothing of them is sent');
  if (type === 'attachment' && !hasFiles)
    throw invalidField('attachments', 'are required with type attachment');
}

/** Its words are the template's own. */
function refuseBesideTemplate({ content, html, card, type }: MessageInput): void {
  if (type === 'note') throw invalidField('template', 'is not for notes');
  if (content !== undefined || html !== undefined || card !== undefined)
    throw invalidField('template', 'stands alone: it brings its own words');
}

function cardOf(input: MessageInput): Card | undefined {
  const found = input.card ?? (typeof input.content === 'object' ? input.content : undefined);
  if (found === undefined) return undefined;
  refuseAmbiguous(found.actions ?? [], input.card === undefined ? 'content' : 'card');
  return JSON.parse(JSON.stringify(found)) as Card;
}

/** An answer by label must mean one choice. */
function refuseAmbiguous(actions: { label: string }[], field: string): void {
  const labels = actions.map(({ label }) => label.trim().toLowerCase());
  const repeated = labels.findIndex((label, n) => labels.indexOf(label) < n);
  if (repeated !== -1) throw invalidField(`${field}.actions.${repeated}.label`, 'is there twice');
}

/** Attachments as core takes them, a bare address being one too. */
export function draftAttachments(attachments: z.infer<typeof attachmentsInput> = []): AttachmentDraft[] {
  return attachments.map((one) => (typeof one === 'string' ? { url: one } : one));
}

function emailOf({ subject, cc, bcc }: MessageInput): Draft['email'] {
  if (subject === undefined && cc === undefined && bcc === undefined) return undefined;
  return {
    ...(subject === undefined ? {} : { subject }),
    ...(cc === undefined ? {} : { cc }),
    ...(bcc === undefined ? {} : { bcc }),
  };
}

/** The shorter way of writing one: a reply, or a note to the team. */
export const replyInput = z.object({
  message: text,
  type: maybe(z.enum(['reply', 'note'])).meta({ description: 'A reply, unless told otherwise.' }),
  attachments: maybe(attachmentsInput),
});

/** The message that a reply describes. Throws a refusal that names the field when it says nothing. */
export function replyDraft({ message, type, attachments: files }: z.infer<typeof replyInput>): Draft {
  const attachments = draftAttachments(files);
  if (message.trim() === '' && attachments.length === 0) throw invalidField('message', 'is required');
  return { content: message, note: type === 'note', attachments };
}
