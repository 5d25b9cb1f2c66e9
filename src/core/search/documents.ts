import type { Sql } from '../database/connect.ts';
import { column } from '../database/recordset.ts';
import { digitsOf, fold, numbersIn } from './fold.ts';

/** What may have changed. */
export interface Touched {
  messages: string[];
  conversations: string[];
  customers: string[];
}

interface Source {
  id: string;
  business_id: string;
  kind: 'message' | 'conversation' | 'customer';
  conversation_id: string | null;
  customer_id: string | null;
  at: Date;
  /** None of them null: the driver reads that of an array as a word. */
  texts: string[];
  attributes: Record<string, unknown> | null;
}

/** Writes what can be found anew from the rows as they are: what was blanked or deleted is found no more. */
export async function refreshDocuments(
  tx: Sql,
  { messages, conversations, customers }: Touched,
): Promise<void> {
  const sources = [
    ...(await readMessages(tx, messages)),
    ...(await readConversations(tx, conversations)),
    ...(await readCustomers(tx, customers)),
  ];
  const documents = sources
    .map(({ texts, attributes, ...document }) => ({ ...document, text: textOf(texts, attributes) }))
    .filter(({ text }) => text !== '');
  const kept = new Set(documents.map(({ id }) => id));
  const gone = [...messages, ...conversations, ...customers].filter((id) => !kept.has(id));
  if (gone.length > 0) await tx`delete from search_documents where id = any(${gone})`;
  if (documents.length === 0) return;
  await tx`
    insert into search_documents as d (id, business_id, kind, conversation_id, customer_id, at, text)
    select * from unnest(${column(documents, 'id')}::uuid[], ${column(documents, 'business_id')}::uuid[],
      ${column(documents, 'kind')}::text[], ${column(documents, 'conversation_id')}::uuid[],
      ${column(documents, 'customer_id')}::uuid[],
      ${documents.map(({ at }) => at.toISOString())}::timestamptz[], ${column(documents, 'text')}::text[])
    on conflict (id) do update set conversation_id = excluded.conversation_id, customer_id = excluded.customer_id,
      at = excluded.at, text = excluded.text
    where (d.conversation_id, d.customer_id, d.at, d.text)
      is distinct from (excluded.conversation_id, excluded.customer_id, excluded.at, excluded.text)`;
}

// The words of a longer text would not fit into one index entry.
const LONGEST = 50_000;

function textOf(texts: string[], attributes: Record<string, unknown> | null): string {
  const values = attributes === null ? [] : valuesIn(attributes);
  const folded = [...texts, ...values].map((text) => fold(text.slice(0, LONGEST)));
  const all = folded.flatMap((text) => [text, digitsOf(text) ?? [], numbersIn(text)].flat());
  return [...new Set(all)].join(' ').slice(0, LONGEST).replaceAll('\0', '').trim();
}

/** What stands in attributes, however deep. */
function valuesIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (typeof value === 'number') return [String(value)];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(valuesIn);
}

async function readMessages(tx: Sql, ids: string[]): Promise<Source[]> {
  if (ids.length === 0) return [];
  return tx<Source[]>`
    select m.id, m.business_id, 'message' as kind, m.conversation_id, c.customer_id, m.created_at as at,
      array_remove(array[m.email ->> 'subject'], null)
        || array(select name from attachments a where a.message_id = m.id) || m.content as texts,
      null as attributes
    from messages m join conversations c on c.id = m.conversation_id
    where m.id = any(${ids}) and m.deleted_at is null and m.type <> 'activity'`;
}

async function readConversations(tx: Sql, ids: string[]): Promise<Source[]> {
  if (ids.length === 0) return [];
  return tx<Source[]>`
    select c.id, c.business_id, 'conversation' as kind, c.id as conversation_id, c.customer_id, c.created_at as at,
      array_remove(array[c.subject], null) || c.tags as texts, c.custom_attributes as attributes
    from conversations c left join customers p on p.id = c.customer_id
    where c.id = any(${ids}) and (p.id is null or p.deleted_at is null)`;
}

async function readCustomers(tx: Sql, ids: string[]): Promise<Source[]> {
  if (ids.length === 0) return [];
  return tx<Source[]>`
    select p.id, p.business_id, 'customer' as kind, null as conversation_id, coalesce(p.merged_into_id, p.id) as customer_id,
      p.updated_at as at,
      array_remove(array[p.name, p.email, p.phone, p.external_id], null)
        || array(select address from customer_addresses a where a.customer_id = p.id)
        || array(select address from identities i where i.customer_id = p.id and kind in ('email', 'phone')) as texts,
      p.custom_attributes as attributes
    from customers p where p.id = any(${ids}) and p.deleted_at is null`;
}
