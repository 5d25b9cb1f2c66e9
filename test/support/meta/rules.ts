/** What Meta answers when it says no. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: number;
  readonly details: string;

  constructor(status: number, code: number, details: string) {
    super(details);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  get body() {
    return {
      error: {
        message: `(#${this.code}) ${this.details}`,
        type: 'OAuthException',
        code: this.code,
        error_data: { messaging_product: 'whatsapp', details: this.details },
        fbtrace_id: 'A_trace',
      },
    };
  }
}

export type Json = Record<string, unknown>;

function refuse(details: string, code = 100): never {
  throw new GraphError(400, code, details);
}

const KNOWN_KEYS = new Set([
  ...[
    'messaging_product',
    'recipient_type',
    'to',
    'recipient',
    'type',
    'context',
    'biz_opaque_callback_data',
  ],
  ...['status', 'message_id', 'typing_indicator'],
]);
const TYPES = [
  'text',
  'image',
  'video',
  'audio',
  'sticker',
  'document',
  'interactive',
  'template',
  'reaction',
];

/** The rules of the messages endpoint, as its reference states them. */
export function checkMessage(body: Json): void {
  if (body['messaging_product'] !== 'whatsapp') refuse('The parameter messaging_product is required.');
  for (const key of Object.keys(body))
    if (!KNOWN_KEYS.has(key) && !TYPES.includes(key)) refuse(`Unexpected key "${key}" on param "message"`);
  const data = body['biz_opaque_callback_data'];
  if (data !== undefined && (typeof data !== 'string' || data.length > 512))
    refuse('biz_opaque_callback_data must be at most 512 characters');
  const type = String(body['type']);
  if (!TYPES.includes(type)) refuse(`Unsupported message type "${type}"`, 131051);
  const stray = TYPES.filter((other) => other !== type && body[other] !== undefined);
  if (stray.length > 0) refuse(`Param "${stray[0]}" does not belong to type "${type}"`, 131009);
  const payload = objectIn(body[type], type);
  CHECKS[type]?.(payload);
  const context = body['context'] as Json | undefined;
  if (context !== undefined && typeof context['message_id'] !== 'string')
    refuse('context.message_id must be a string');
}

const CHECKS: Record<string, (payload: Json) => void> = {
  text({ body, preview_url }) {
    textOf(body, { most: 4096, name: 'text.body' });
    if (preview_url !== undefined && typeof preview_url !== 'boolean')
      refuse('preview_url must be a boolean');
  },
  image: (payload) => checkMedia(payload, { caption: true }),
  video: (payload) => checkMedia(payload, { caption: true }),
  document: (payload) => checkMedia(payload, { caption: true, filename: true }),
  audio: (payload) => checkMedia(payload, {}),
  sticker: (payload) => checkMedia(payload, {}),
  reaction({ message_id, emoji }) {
    if (typeof message_id !== 'string') refuse('reaction.message_id is required', 131009);
    if (typeof emoji !== 'string') refuse('reaction.emoji is required', 131009);
  },
  interactive: checkInteractive,
};

function checkMedia(payload: Json, allowed: { caption?: boolean; filename?: boolean }): void {
  const { id, link, caption, filename } = payload;
  if ((id === undefined) === (link === undefined)) refuse('either id or link is required', 131009);
  if (link !== undefined && !String(link).startsWith('https://')) refuse('link must be https', 131009);
  if (caption !== undefined && !allowed.caption) refuse('caption is not allowed here', 131009);
  if (caption !== undefined) textOf(caption, { most: 1024, name: 'caption' });
  if (filename !== undefined && !allowed.filename) refuse('filename is not allowed here', 131009);
}

function checkInteractive(payload: Json): void {
  textOf(objectIn(payload['body'], 'body')['text'], { most: 1024, name: 'interactive.body.text' });
  const action = objectIn(payload['action'], 'action');
  switch (payload['type']) {
    case 'button':
      checkButtons(action['buttons']);
      break;
    case 'list':
      checkList(action);
      break;
    case 'cta_url':
      checkLink(objectIn(action['parameters'], 'parameters'));
      break;
    default:
      refuse('Unknown interactive type', 131009);
  }
}

function checkButtons(buttons: unknown): void {
  if (!Array.isArray(buttons) || buttons.length < 1 || buttons.length > 3)
    refuse('Invalid buttons count. Min allowed buttons: 1, Max allowed buttons: 3', 131009);
  const titles = buttons.map((button: Json) => {
    const reply = objectIn(button['reply'], 'reply');
    textOf(reply['id'], { most: 256, name: 'button id' });
    return textOf(reply['title'], { most: 20, name: 'button title' });
  });
  if (new Set(titles).size < titles.length) refuse('Duplicated title in buttons', 131009);
}

function checkList({ button, sections }: Json): void {
  textOf(button, { most: 20, name: 'list button' });
  if (!Array.isArray(sections) || sections.length < 1 || sections.length > 10)
    refuse('1 to 10 sections are required', 131009);
  const rows = sections.flatMap((section: Json) => {
    if (sections.length > 1) textOf(section['title'], { most: 24, name: 'section title' });
    return section['rows'] as Json[];
  });
  if (rows.length < 1 || rows.length > 10) refuse('Total row count exceed max allowed count: 10', 131009);
  for (const { id, title, description } of rows) {
    textOf(id, { most: 200, name: 'row id' });
    textOf(title, { most: 24, name: 'row title' });
    if (description !== undefined) textOf(description, { most: 72, name: 'row description' });
  }
}

function checkLink({ display_text, url }: Json): void {
  textOf(display_text, { most: 20, name: 'display_text' });
  if (!/^https?:\/\//.test(String(url))) refuse('url must be http(s)', 131009);
}

const MEGABYTE = 1024 * 1024;
const OFFICE = 'application/vnd.openxmlformats-officedocument';
/** What may be uploaded, in the order in which Meta names it, and how large it may be. */
const UPLOADS: Record<string, number> = {
  ...Object.fromEntries(
    ['aac', 'mp4', 'mpeg', 'amr', 'ogg', 'opus'].map((one) => [`audio/${one}`, 16 * MEGABYTE]),
  ),
  'application/vnd.ms-powerpoint': 100 * MEGABYTE,
  'application/msword': 100 * MEGABYTE,
  [`${OFFICE}.wordprocessingml.document`]: 100 * MEGABYTE,
  [`${OFFICE}.presentationml.presentation`]: 100 * MEGABYTE,
  [`${OFFICE}.spreadsheetml.sheet`]: 100 * MEGABYTE,
  'application/pdf': 100 * MEGABYTE,
  'text/plain': 100 * MEGABYTE,
  'application/vnd.ms-excel': 100 * MEGABYTE,
  'image/jpeg': 100 * MEGABYTE,
  'image/png': 100 * MEGABYTE,
  'image/webp': 100 * MEGABYTE,
  'video/mp4': 100 * MEGABYTE,
  'video/3gpp': 100 * MEGABYTE,
};

/** A file of which Meta takes the type, the part's own and the named one alike. */
export function checkUpload(file: { bytes: Buffer; type: string }, named: unknown): void {
  if (UPLOADS[file.type] === undefined || file.type !== named)
    refuse(
      `Param file must be a file with one of the following types: ${Object.keys(UPLOADS).join(', ')}. Received file of type '${file.type}'.`,
    );
  if (file.bytes.length === 0) refuse('The file is empty', 131053);
  if (file.bytes.length > (UPLOADS[file.type] ?? 0)) refuse('The file is too large', 131053);
}

const SHOWN: Record<string, RegExp> = {
  image: /^image\/(jpeg|png)$/,
  video: /^video\/(mp4|3gpp)$/,
  audio: /^audio\//,
  sticker: /^image\/webp$/,
  document: /./,
};
const MOST: Record<string, number> = {
  image: 5 * MEGABYTE,
  video: 16 * MEGABYTE,
  audio: 16 * MEGABYTE,
  sticker: 500 * 1024,
  document: 100 * MEGABYTE,
};

/** An uploaded file can be shown only as what it is. */
export function checkShown(kind: string, file: { bytes: Buffer; mimeType: string }): void {
  if (!SHOWN[kind]?.test(file.mimeType)) refuse(`${file.mimeType} is not supported as ${kind}`, 131053);
  if (file.bytes.length > (MOST[kind] ?? 0)) refuse(`The ${kind} is too large`, 131053);
}

/** Whom a message goes to; a business-scoped id where the number belongs is taken by nobody. */
export function recipientOf(body: Json): string {
  const { to, recipient } = body;
  const kind = body['recipient_type'] ?? 'individual';
  if (kind !== 'individual' && kind !== 'group') refuse('recipient_type must be individual or group');
  if (to !== undefined) {
    if (kind === 'group') return String(to);
    if (!/^\+?\d{5,20}$/.test(String(to))) refuse('Param to must be a phone number', 131026);
    return String(to).replace('+', '');
  }
  if (!/^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/.test(String(recipient)))
    refuse('to or recipient is required');
  return String(recipient);
}

/** Holds a sent template against the one that was approved. */
export function checkTemplate(payload: Json, templates: Json[]): void {
  const language = objectIn(payload['language'], 'language')['code'];
  const template = templates.find((one) => one['name'] === payload['name'] && one['language'] === language);
  if (template === undefined || template['status'] !== 'APPROVED')
    throw new GraphError(404, 132001, `template name (${payload['name']}) does not exist in ${language}`);
  const given = (payload['components'] ?? []) as Json[];
  for (const component of template['components'] as Json[]) {
    if (component['type'] === 'BUTTONS') checkTemplateButtons(component['buttons'] as Json[], given);
    else checkComponent(component, { given, isNamed: template['parameter_format'] === 'NAMED' });
  }
}

function checkComponent(component: Json, { given, isNamed }: { given: Json[]; isNamed: boolean }): void {
  const type = String(component['type']).toLowerCase();
  const parameters = (given.find((one) => one['type'] === type)?.['parameters'] ?? []) as Json[];
  const format = String(component['format'] ?? 'TEXT').toLowerCase();
  if (type === 'header' && format !== 'text') {
    const media = parameters[0]?.[format] as Json | undefined;
    if (
      parameters.length !== 1 ||
      parameters[0]?.['type'] !== format ||
      !(media?.['id'] ?? media?.['link'] ?? media?.['latitude'])
    )
      refuse(`header: a ${format} is expected`, 132012);
    return;
  }
  const gaps = [
    ...new Set([...String(component['text'] ?? '').matchAll(/\{\{(\w+)\}\}/g)].map(([, name]) => name)),
  ];
  if (parameters.length !== gaps.length)
    refuse(
      `${type}: number of localizable_params (${parameters.length}) does not match the expected number of params (${gaps.length})`,
      132000,
    );
  for (const [n, parameter] of parameters.entries()) {
    const text = textOf(parameter['text'], { most: 4096, name: 'parameter' });
    if (/[\n\t]| {5,}/.test(text)) refuse('Param text cannot have new-line/tab characters', 132018);
    if (isNamed ? parameter['parameter_name'] !== gaps[n] : parameter['parameter_name'] !== undefined)
      refuse('Parameter name is missing or does not match', 132012);
  }
}

function checkTemplateButtons(buttons: Json[], given: Json[]): void {
  for (const [index, button] of buttons.entries()) {
    const component = given.find((one) => one['type'] === 'button' && one['index'] === String(index));
    const needs = String(button['url'] ?? '').includes('{{') || button['type'] === 'COPY_CODE';
    if (needs && component === undefined) refuse(`Button at index ${index} requires a parameter`, 131008);
    const expected = { URL: 'url', COPY_CODE: 'copy_code', QUICK_REPLY: 'quick_reply' }[
      String(button['type'])
    ];
    if (component !== undefined && component['sub_type'] !== expected)
      refuse(`Button at index ${index} is of another type`, 132012);
  }
}

function textOf(value: unknown, { most, name }: { most: number; name: string }): string {
  if (typeof value !== 'string' || value.trim() === '') return refuse(`${name} is required`, 131008);
  if (value.length > most) refuse(`Param ${name} must be at most ${most} characters long.`);
  return value;
}

function objectIn(value: unknown, name: string): Json {
  if (typeof value !== 'object' || value === null)
    return refuse(`The parameter ${name} is required.`, 131008);
  return value as Json;
}
