import type { Actor } from '../actor.ts';
import { audit } from '../audit.ts';
import { customerEvent, findCustomer, refuseMerged, type StoredCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import { record } from '../events.ts';
import { authorOf } from '../messages/author.ts';
import { causeOf, closeConversations } from './erasure/close.ts';
import { personOf, tracesOf } from './erasure/person.ts';
import { blankPerson, forgetAddresses } from './erasure/rows.ts';
import { lockCustomers } from './lock-customers.ts';

/** Erases a person with all who were merged into them: who they are at once, and with the sweep what they and others said. */
export async function eraseCustomer(tx: Sql, actor: Actor, id: string): Promise<void> {
  const { businessId } = actor;
  refuseMerged(await findCustomer(tx, businessId, id));
  const erased = { businessId, customerId: id, requestedAt: new Date() };
  await lockCustomers(tx, (await personOf(tx, erased)).customers);
  // Again, now that nobody can erase them, nor merge anybody with them.
  refuseMerged(await findCustomer(tx, businessId, id));
  const person = await personOf(tx, erased);
  const traces = await tracesOf(tx, person);
  await forgetAddresses(tx, person);
  await blankPerson(tx, person);
  await tx`
    insert into erasures (customer_id, business_id, requested_at, next_sweep_at, addresses, channel_ids, files)
    values (${id}, ${businessId}, ${erased.requestedAt}, now() + interval '1 minute', ${traces.addresses}, ${traces.channels}, '{}')`;
  await audit(tx, actor, { action: 'customer.erased', subjectId: id });
  await closeConversations(tx, person, await authorOf(tx, actor));
  const [customer] = await tx<[StoredCustomer]>`select * from customers where id = ${id}`;
  await record(tx, [{ ...customerEvent('customer.deleted', customer), causedBy: causeOf(person) }]);
}
