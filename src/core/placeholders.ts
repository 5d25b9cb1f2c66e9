import type { Sql } from './database/connect.ts';
import { invalidField } from './errors.ts';
import type { Author } from './messages/author.ts';
import type { ConversationRow } from './views/conversation.ts';

/** What `{{noun.name}}` stands for, noun by noun; what has no value is null or absent. */
export type Values = Record<Noun, Record<string, unknown>>;

type Noun = 'visitor' | 'agent' | 'company' | 'conversation' | 'channel';

// The words of either documented interface, and ours.
const NOUNS: Readonly<Record<string, Noun>> = {
  visitor: 'visitor',
  customer: 'visitor',
  agent: 'agent',
  company: 'company',
  business: 'company',
  conversation: 'conversation',
  channel: 'channel',
};
/** The names that a noun has; where custom attributes stand beside them, any other name is one of those. */
const NAMES: Readonly<Record<Noun, readonly string[] | 'any'>> = {
  visitor: 'any',
  agent: ['id', 'name', 'email'],
  company: ['id', 'name'],
  conversation: 'any',
  channel: ['id', 'name', 'type'],
};

// Each piece excludes what follows it, so that no text takes longer than its length.
const PLACEHOLDER = /\{\{[ \t]*([a-z]{1,20})\.([\p{L}\p{M}\p{N}_-]{1,100})[ \t]*(?:\|([^{}]{0,200}))?\}\}/gu;
const MOST = 50;
/** No value is longer than this, so that a filled text is never much longer than the one that was written. */
const LONGEST_VALUE = 500;

/** Refuses a text that would not be filled in as its writer thinks, naming what is wrong. */
export function checkPlaceholders(text: string, field: string): void {
  const found = [...text.matchAll(PLACEHOLDER)];
  if (found.length > MOST) throw invalidField(field, `has more than ${MOST} variables`);
  for (const [, noun = '', name = ''] of found) {
    const names = NAMES[NOUNS[noun] ?? 'agent'];
    if (!(noun in NOUNS) || (names !== 'any' && !names.includes(name)))
      throw invalidField(field, `has a variable that does not exist: ${noun}.${name}`);
  }
  if (text.replaceAll(PLACEHOLDER, '').includes('{{'))
    throw invalidField(field, 'has a {{ that begins no variable');
}

export interface Filled {
  text: string;
  /** The variables that had neither a value nor a text of their own for that, each once. */
  missing: string[];
}

/** The text with its variables filled in, once: what a value says is never read as a variable again. */
export function fillIn(text: string, values: Values): Filled {
  const missing = new Set<string>();
  const filled = text.replaceAll(
    new RegExp(`( ?)${PLACEHOLDER.source}`, 'gu'),
    (
      ...[, space, noun, name, otherwise]: [string, string, string, string, string | undefined, ...unknown[]]
    ) => {
      const value = shown(values[NOUNS[noun] ?? 'agent'], name) || otherwise?.trim();
      if (value) return `${space}${value}`;
      if (otherwise === undefined) missing.add(`${noun}.${name}`);
      // "Hi {{visitor.name}}!" greets nobody as "Hi!".
      return '';
    },
  );
  return { text: filled, missing: [...missing] };
}

function shown(values: Record<string, unknown>, name: string): string {
  const value = Object.hasOwn(values, name) ? values[name] : undefined;
  if (!['string', 'number', 'boolean'].includes(typeof value)) return '';
  const line = String(value).replaceAll(/\s+/g, ' ').trim();
  // Half of a character that needs two could not be stored.
  return line.slice(0, LONGEST_VALUE).replace(/[\ud800-\udbff]$/, '');
}

interface Facts {
  company: { id: string; name: string };
  channel: { id: string; name: string; type: string };
  customer: (Record<string, unknown> & { custom_attributes: Record<string, unknown> }) | null;
  agent: { email: string | null } | null;
}

/** What the variables stand for in a conversation, for whoever writes. */
export async function valuesOf(sql: Sql, conversation: ConversationRow, by: Author): Promise<Values> {
  const [facts] = await sql<[Facts]>`
    select jsonb_build_object('id', b.id, 'name', b.name) as company,
      jsonb_build_object('id', ch.id, 'name', ch.name, 'type', ch.type) as channel,
      to_jsonb(c) as customer,
      (select jsonb_build_object('email', a.email) from agents a where a.id = ${by.id}) as agent
    from businesses b join channels ch on ch.business_id = b.id
    left join customers c on c.id = ${conversation.customer_id} and c.deleted_at is null
    where b.id = ${conversation.business_id} and ch.id = ${conversation.channel_id}`;
  const { id, name, email, phone, external_id, custom_attributes } = facts.customer ?? {
    custom_attributes: {},
  };
  const { subject, status, priority } = conversation;
  return {
    visitor: { ...custom_attributes, id, name, email, phone, external_id },
    agent: { id: by.id, name: by.name, email: facts.agent?.email },
    company: facts.company,
    conversation: { ...conversation.custom_attributes, id: conversation.id, subject, status, priority },
    channel: facts.channel,
  };
}
