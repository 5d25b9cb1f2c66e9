import { fewIds, holds } from '../containing.ts';
import type { Pool, Sql } from '../database/connect.ts';
import { partOfPhone } from '../search/fold.ts';
import { hasIndexedPart } from '../search/matches.ts';
import { search } from '../search/search.ts';

/** Where a text stands, asked before the list so that it finds its index. */
export interface FoundText {
  q: string;
  /** Those whom it names; undefined where they are many. */
  namedIds: string[] | undefined;
  /** Where it was said, or stands in a tag or an attribute: the newest. */
  conversationIds: string[];
  customerIds: string[];
}

/** Looks where the text stands in the business's conversations and in what is known of its customers. */
export async function findText(sql: Pool, businessId: string, q: string): Promise<FoundText> {
  const named = fewIds(
    sql,
    sql`select p.id from customers p
      where p.business_id = ${businessId} and p.deleted_at is null and (${isNamed(sql, q)})`,
  );
  // Only what an index finds: a list is asked for again and again.
  const said = hasIndexedPart(q) ? search(sql, { businessId, q }).then(({ hits }) => hits) : [];
  const [namedIds, hits] = await Promise.all([named, said]);
  return {
    q,
    namedIds,
    conversationIds: [...new Set(hits.flatMap((hit) => hit.conversation_id ?? []))],
    customerIds: hits.flatMap((hit) => (hit.kind === 'customer' ? (hit.customer_id ?? []) : [])),
  };
}

/** Whether it stands in conversation `c`. Where many are named, each is asked whose it is: the list is soon full. */
export function hasText(sql: Sql, { q, namedIds, conversationIds, customerIds }: FoundText) {
  return sql`(${holds(sql, 'c.subject', q)} or c.id = any(${conversationIds})
    or c.customer_id = any(${customerIds}) or ${
      namedIds === undefined
        ? sql`(select p.deleted_at is null and (${isNamed(sql, q)}) from customers p where p.id = c.customer_id)`
        : sql`c.customer_id = any(${namedIds})`
    })`;
}

function isNamed(sql: Sql, q: string) {
  return sql`${holds(sql, 'p.name', q)} or ${holds(sql, 'p.email', q)} or ${holds(sql, 'p.phone', partOfPhone(q))}`;
}
