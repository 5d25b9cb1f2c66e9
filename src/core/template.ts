import { z } from 'zod';
import { invalidField } from './errors.ts';

const parameters = z.array(z.string()).meta({ description: 'The names, or numbers, of what is filled in.' });

/** A message that a provider has approved, with gaps. */
export const templateView = z
  .object({
    id: z.string().meta({ description: "The provider's id." }),
    name: z.string(),
    language: z.string(),
    status: z.enum(['approved', 'pending', 'rejected', 'paused', 'disabled']),
    category: z.string().nullable(),
    named: z.boolean().meta({ description: 'Whether its parameters have names instead of numbers.' }),
    header: z
      .object({
        type: z.enum(['text', 'image', 'video', 'document', 'location']),
        text: z.string(),
        parameters,
      })
      .nullable(),
    body: z.object({ text: z.string(), parameters }),
    footer: z.string().nullable(),
    buttons: z.array(
      z.object({ type: z.string(), label: z.string(), url: z.string().optional(), parameters }),
    ),
  })
  .meta({ id: 'Template' });

export type Template = z.infer<typeof templateView>;

const value = z.string().max(4_000);
const location = z.object({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
  name: z.string().max(1_000).optional(),
  address: z.string().max(1_000).optional(),
});

/** Which template to send, and what to fill in. A header's file is the message's attachment. */
export const templateInput = z
  .object({
    id: z.string().max(200).optional(),
    name: z.string().max(512).optional(),
    language: z.string().max(20).optional(),
    header: z.union([value, location]).optional(),
    body: z.union([z.array(value).max(100), z.record(z.string(), value)]).optional(),
    buttons: z
      .record(z.string().regex(/^\d{1,2}$/), value)
      .optional()
      .meta({ description: 'By their place, from 0.' }),
  })
  .refine((one) => one.id !== undefined || one.name !== undefined, { path: ['name'], error: 'is required' });

export type TemplateInput = z.infer<typeof templateInput>;

interface Value {
  name: string;
  text: string;
}

/** A template with everything filled in, as an adapter sends it. */
export interface FilledTemplate {
  id: string;
  name: string;
  language: string;
  named: boolean;
  header?:
    | { type: 'text'; values: Value[] }
    | { type: 'image' | 'video' | 'document' }
    | { type: 'location'; location: z.infer<typeof location> };
  body: Value[];
  buttons: { index: number; type: string; text: string }[];
}

interface Filling {
  input: TemplateInput;
  /** How many files the message has: one for a header that shows one, else none. */
  files: number;
}

/** Fills a template, and says what it reads like. Throws a refusal that names the field when something is missing or too much. */
export function fillTemplate(
  template: Template,
  { input, files }: Filling,
): { filled: FilledTemplate; text: string } {
  if (template.status !== 'approved') throw invalidField('template.name', `is ${template.status}`);
  const header = fillHeader(template, input.header);
  checkFiles(template, files);
  const body = valuesFor('template.body', template.body.parameters, input.body);
  const filled = {
    id: template.id,
    name: template.name,
    language: template.language,
    named: template.named,
    ...(header === undefined ? {} : { header }),
    body,
    buttons: fillButtons(template, { given: input.buttons ?? {}, body }),
  };
  return { filled, text: textOf(template, filled) };
}

function fillHeader({ header }: Template, given: TemplateInput['header']): FilledTemplate['header'] {
  if (header?.type === 'location') {
    if (typeof given !== 'object') throw invalidField('template.header', 'must be a location');
    return { type: 'location', location: given };
  }
  if (typeof given === 'object') throw invalidField('template.header', 'is no location in this template');
  const values = valuesFor('template.header', header?.parameters ?? [], given === undefined ? [] : [given]);
  if (header === null) return undefined;
  return header.type === 'text' ? { type: 'text', values } : { type: header.type as 'image' };
}

function checkFiles({ header }: Template, files: number): void {
  const wanted = header !== null && ['image', 'video', 'document'].includes(header.type) ? 1 : 0;
  if (files === wanted) return;
  const why =
    wanted === 1 ? `must be one ${header?.type ?? 'file'}, for the header` : 'have no place in this template';
  throw invalidField('attachments', why);
}

// Meta refuses them in a value, after the message was accepted.
const REFUSED_SPACE = /[\n\t]| {5,}/;

function valuesFor(field: string, names: string[], given: TemplateInput['body'] = []): Value[] {
  const values = Array.isArray(given) ? given.map((text, n) => ({ name: names[n], text })) : byName(given);
  const known = names.map((name) => ({ name, text: values.find((one) => one.name === name)?.text }));
  const missing = known.filter(({ text }) => text === undefined || text.trim() === '');
  if (values.length > names.length || missing.length > 0) {
    const wanted =
      names.length === 0
        ? 'takes no values'
        : `needs values for ${names.map((name) => `{{${name}}}`).join(', ')}`;
    throw invalidField(field, wanted);
  }
  if (values.some(({ text }) => REFUSED_SPACE.test(text)))
    throw invalidField(field, 'takes no line breaks, tabs or more than four spaces in a row');
  return known.map(({ name, text }) => ({ name, text: text ?? '' }));
}

function byName(given: Record<string, string>): { name: string; text: string }[] {
  return Object.entries(given).map(([name, text]) => ({ name, text }));
}

interface ButtonValues {
  given: Record<string, string>;
  body: Value[];
}

function fillButtons(
  { buttons, category }: Template,
  { given, body }: ButtonValues,
): FilledTemplate['buttons'] {
  const stray = Object.keys(given).find((index) => !takesValue(buttons[Number(index)]));
  if (stray !== undefined) throw invalidField(`template.buttons.${stray}`, 'takes no value');
  return buttons.flatMap((button, index) => {
    // The button of a one-time code copies the code of the text.
    const text = given[index] ?? (category === 'authentication' ? body[0]?.text : undefined);
    if (button.parameters.length > 0 && (text === undefined || text.trim() === ''))
      throw invalidField(`template.buttons.${index}`, `needs a value for ${button.label}`);
    return text === undefined || !takesValue(button) ? [] : [{ index, type: button.type, text }];
  });
}

/** A quick reply may say what its answer is known by; other buttons take a value only where they have a gap. */
function takesValue(button: Template['buttons'][number] | undefined): boolean {
  return button !== undefined && (button.type === 'quick_reply' || button.parameters.length > 0);
}

function textOf({ header, body, footer }: Template, filled: FilledTemplate): string {
  const headerValues = filled.header?.type === 'text' ? filled.header.values : [];
  return [withValues(header?.text ?? '', headerValues), withValues(body.text, filled.body), footer ?? '']
    .filter((text) => text !== '')
    .join('\n\n');
}

function withValues(text: string, values: Value[]): string {
  return text.replaceAll(
    /\{\{\s*([\w.]+)\s*\}\}/g,
    (gap, name: string) => values.find((one) => one.name === name)?.text ?? gap,
  );
}

/** The gaps in a text, each once, in order. */
export function gapsIn(text: string): string[] {
  return [...new Set([...text.matchAll(/\{\{\s*([\w.]+)\s*\}\}/g)].map(([, name = '']) => name))];
}
