import { customerEvent } from '../customers.ts';
import type { Sender } from '../envelope.ts';
import { normalPhone } from '../phone.ts';
import type { CustomerRow } from '../views/customer.ts';
import { keyOf, type MessageItem } from './item.ts';
import type { PartyState } from './parties.ts';
import type { Work } from './work.ts';

/** The party as known, filled with what the channel says of it now. */
export function partyOf(item: MessageItem, sender: Sender, { state, plan, context }: Work): PartyState {
  const party = state.parties.get(keyOf(item.channel.id, sender.address));
  if (party === undefined) throw new Error('a sender was not locked');
  const { customer } = party;
  if (party.isNew) {
    party.isNew = false;
    plan.newCustomers.push(customer);
    plan.events.push(customerEvent('customer.created', customer));
  } else if (fillCustomer(customer, sender, context.now)) {
    plan.filledCustomers.add(customer);
    plan.events.push(customerEvent('customer.updated', customer));
  }
  return party;
}

/** Fills what is empty, never what somebody wrote. */
function fillCustomer(customer: CustomerRow, sender: Sender, now: Date): boolean {
  let filled = false;
  for (const field of ['name', 'email', 'phone'] as const) {
    const value = sender[field];
    if (value === undefined || value === '' || customer[field] !== null) continue;
    customer[field] = field === 'phone' ? normalPhone(value) : value;
    filled = true;
  }
  if (filled) customer.updated_at = now;
  return filled;
}
