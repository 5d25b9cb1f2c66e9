import type { Pool, Sql } from '../../database/connect.ts';
import { untilRunningEnd } from '../../database/running.ts';
import { laneKey } from '../../lanes/lane-key.ts';
import { scheduleLanes } from '../../lanes.ts';
import { blank } from './blank.ts';
import type { Person, Traces } from './person.ts';

/** What is left of data that is gone. */
const ERASED = { erased: true };
const KEPT_OF_ATTEMPT = [
  'id started_at business_id kind subject_id customer_id number part',
  'finished_at outcome status_code provider_code duration_ms url',
].flatMap((names) => names.split(' '));

/**
 * Blanks what happened to a person: events with their deliveries and attempts, and answers that are kept to be given again.
 * What tells of the erasure itself stays.
 */
export async function blankRecords(pool: Pool, person: Person, messages: string[]): Promise<void> {
  const { businessId, customers, conversations, until } = person;
  const isOfPerson = pool`business_id = ${businessId} and occurred_at < ${until}
    and (caused_by is null or not caused_by ? 'erasure')
    and (customer_id = any(${customers}) or conversation_id = any(${conversations}) or message_id = any(${messages}))`;
  const isDelivered = pool`business_id = ${businessId} and created_at < ${until}
    and (customer_id = any(${customers}) or event_seq in (select seq from events where ${isOfPerson}))`;
  await pool`update outbox set data = ${pool.json(ERASED)} where ${isOfPerson}`;
  await pool`update events set data = ${pool.json(ERASED)} where ${isOfPerson}`;
  // An event that was read before may be on its way to an endpoint that missed it.
  await untilRunningEnd(pool);
  await blankDeliveries(
    pool,
    pool`${isDelivered} and not exists (select 1 from events e where e.seq = d.event_seq and e.caused_by ? 'erasure')`,
  );
  // After the deliveries, from which whoever stores an answer knows whether it may be kept.
  await blank(pool, 'attempts', {
    keep: KEPT_OF_ATTEMPT,
    set: {},
    where: pool`business_id = ${businessId} and started_at < ${until}
      and (customer_id = any(${customers}) or subject_id = any(${messages})
        or subject_id in (select id from deliveries where ${isDelivered}))`,
  });
  await pool`
    update idempotency_keys set response = null
    where business_id = ${businessId} and created_at < ${until} and response is not null
      and about && ${[...customers, ...conversations]}::uuid[]`;
}

/** What was still to be delivered has nothing left to tell: those behind it in an order go on. */
async function blankDeliveries(sql: Sql, where: ReturnType<Sql>): Promise<void> {
  const canceled = await sql<{ endpoint_id: string }[]>`
    with blanked as (
      update deliveries d
      set status = case when status = 'pending' then 'canceled' else status end,
        next_attempt_at = null,
        body = (
          select json_object_agg(key, value)::jsonb::text from (
            select key, value from json_each(case when d.body like '{%' then d.body else '{}' end::json)
            where json_typeof(value) not in ('object', 'array')
            union all select 'data', ${sql.json(ERASED)}::json) kept)
      where ${where} returning endpoint_id, status, order_key)
    select distinct endpoint_id from blanked where status = 'canceled' and order_key is not null`;
  const lanes = canceled.map(({ endpoint_id }) => laneKey('deliver', endpoint_id));
  await scheduleLanes(sql, lanes);
}

/** Blanks the raw requests that brought something of a person. One request may hold several people's messages. */
export async function blankRequests(
  sql: Sql,
  person: Person,
  { channels, addresses }: Traces,
): Promise<void> {
  const names = addresses.filter((one) => one.length >= SHORTEST);
  // Of bytes that may be in any encoding: what is ASCII reads as itself.
  const brings = names.length === 0 ? sql`false` : sql`encode(body, 'escape') ~* ${patternOf(names)}`;
  await sql`
    update inbound_requests set body = null, headers = '{}', url = null, reason = 'erased'
    where business_id = ${person.businessId} and body is not null
      and (customer_id = any(${person.customers}) or channel_id = any(${channels}::uuid[]) and ${brings})`;
}

// A shorter id would be found in everybody's requests.
const SHORTEST = 5;

/** Any of the addresses, as it is or as a form encodes it; a number only where it is a whole one. */
function patternOf(addresses: string[]): string {
  const forms = new Set(addresses.flatMap((one) => [one, encodeURIComponent(one)]));
  return [...forms]
    .map((form) => {
      const literal = form.replaceAll(/[^A-Za-z0-9]/g, '\\$&');
      return /^\d+$/.test(form) ? `(?<!\\d)${literal}(?!\\d)` : literal;
    })
    .join('|');
}
