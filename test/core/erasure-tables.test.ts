import { afterAll, beforeAll, expect, it } from 'vitest';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

/** Tables that lead to a customer, each with what an erasure does to it. A new one belongs here and in core/erasure. */
const KNOWN: Record<string, string> = {
  ai_turns: 'deleted',
  attachments: 'blanked, their files removed',
  attempts: 'blanked',
  automatic_answers: 'deleted',
  automation_runs: 'kept for their 30 days: ids, times and outcomes, nothing that was said',
  blocked_senders: 'deleted',
  consents: 'deleted',
  conversations: 'blanked',
  customer_addresses: 'deleted',
  customers: 'blanked',
  deliveries: 'their bodies blanked',
  erasures: 'emptied by the first sweep, deleted by the second',
  events: 'blanked',
  idempotency_keys: 'answers about them emptied',
  identities: 'deleted',
  inbound_keys: 'kept for their time: a message that comes again must not begin anew',
  inbound_requests: 'blanked',
  message_parts: 'blanked',
  messages: 'blanked',
  outbox: 'blanked',
  provider_ids: 'what waits there for a message taken out',
  ratings: 'what they wrote blanked, the score kept',
  rounds: 'kept: times, tags and who of ours answered',
  search_documents: 'deleted',
  threads: 'deleted',
  visitor_sessions: 'deleted',
};

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

it('leads from a customer to no table that an erasure forgets', async () => {
  const rows = await database.pool<{ name: string }[]>`
    select distinct c.relname as name from pg_class c
    join pg_namespace n on n.oid = c.relnamespace and n.nspname = 'public'
    join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
    where c.relkind in ('r', 'p') and not c.relispartition
      and (c.relname in ('customers', 'conversations', 'messages')
        or a.attname in ('customer_id', 'conversation_id', 'message_id', 'visitor_id', 'address', 'subject_id'))
    order by 1`;
  const unknown = rows.map(({ name }) => name).filter((name) => !(name in KNOWN) && name !== 'audit_log');
  expect(unknown, 'say in this test, and in src/core/erasure, what becomes of it').toEqual([]);
});
