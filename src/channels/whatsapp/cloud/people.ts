import type { Sender } from '../../../core/envelope.ts';
import { phoneForms } from '../../../core/phone.ts';
import type { Value, WhatsAppContact } from './webhook.ts';

/** A person as a webhook names them: by number, by the id that WhatsApp gave them for this business, or by both. */
export interface Person {
  phone?: string | undefined;
  userId?: string | undefined;
  parentUserId?: string | undefined;
  name?: string | undefined;
  username?: string | undefined;
}

interface Named {
  from?: string | undefined;
  from_user_id?: string | undefined;
  from_parent_user_id?: string | undefined;
}

const USER_ID = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/;
const WA_ID = /^\d{3,20}$/;

/** Who wrote an item, with what the batch's contacts say of them; undefined when the item names nobody. */
export function personOf(named: Named, { contacts = [] }: Pick<Value, 'contacts'>): Person | undefined {
  const theirs = contacts.filter((contact) => mayBe(contact, named));
  // Of several people the one is taken who is named, never one who merely could be.
  const contact =
    theirs.find((one) => isNamed(one, named)) ?? (contacts.length === 1 ? theirs[0] : undefined);
  const person = { ...withContact(contact), ...idsOf(named) };
  return person.phone === undefined && person.userId === undefined ? undefined : person;
}

function isNamed({ wa_id, user_id }: WhatsAppContact, { from, from_user_id }: Named): boolean {
  return (from !== undefined && wa_id === from) || (from_user_id !== undefined && user_id === from_user_id);
}

function mayBe({ wa_id, user_id }: WhatsAppContact, { from, from_user_id }: Named): boolean {
  const differ = (one: string | undefined, other: string | undefined) =>
    one !== undefined && other !== undefined && one !== other;
  return !differ(wa_id, from) && !differ(user_id, from_user_id);
}

function idsOf({ from, from_user_id: userId, from_parent_user_id: parentUserId }: Named): Person {
  const number = from?.replace(/^\+/, '') ?? '';
  const isPhone = WA_ID.test(number);
  // Whoever hides their number may be named by their id where the number used to stand, whatever it will look like.
  const hidden = isPhone || number === '' ? undefined : from;
  return {
    ...(isPhone ? { phone: `+${number}` } : {}),
    ...((userId ?? hidden) === undefined ? {} : { userId: userId ?? hidden }),
    ...(parentUserId === undefined ? {} : { parentUserId }),
  };
}

function withContact(contact: WhatsAppContact | undefined): Person {
  const { wa_id, user_id, parent_user_id, profile } = contact ?? {};
  return {
    ...idsOf({ from: wa_id, from_user_id: user_id, from_parent_user_id: parent_user_id }),
    ...(profile?.name ? { name: profile.name } : {}),
    ...(profile?.username ? { username: profile.username } : {}),
  };
}

/** The person as a sender. The number is what the provider gave: that form is the one that is sent to. */
export function senderOf({ phone, userId, parentUserId, name, username }: Person): Sender {
  const known = name ?? username;
  return {
    address: phone ?? userId ?? '',
    kind: phone === undefined ? 'user_id' : 'phone',
    ...(phone === undefined || userId === undefined
      ? {}
      : { aliases: [{ address: userId, kind: 'user_id' }] }),
    ...(known === undefined ? {} : { name: known }),
    ...(phone === undefined ? {} : { phone }),
    profile: {
      ...(username === undefined ? {} : { username }),
      ...(userId === undefined ? {} : { user_id: userId }),
      ...(parentUserId === undefined ? {} : { parent_user_id: parentUserId }),
    },
  };
}

// Argentina, Brazil and Mexico: reading every other number to learn that it has one form costs more than all the rest.
const HAS_FORMS = /^\+5[245]/;

/** The thread of a person is their address; the other ways to write it lead to the same conversation. */
export function threadOf({ phone, userId }: Person): { threadKey: string; threadAliases?: string[] } {
  const threadKey = phone ?? userId ?? '';
  const forms = phone !== undefined && HAS_FORMS.test(phone) ? phoneForms(phone) : [];
  const aliases = [...(userId === undefined ? [] : [userId]), ...forms].filter((key) => key !== threadKey);
  return aliases.length === 0 ? { threadKey } : { threadKey, threadAliases: [...new Set(aliases)] };
}

const GROUP = 'group:';

/** A group writes and is written to as one. */
export function groupAddress(groupId: string): string {
  return `${GROUP}${groupId}`;
}

/** Whether this is an id that WhatsApp gave a person for one business. */
export function isUserId(text: string): boolean {
  return USER_ID.test(text);
}

/** The members of a request that say whom it is for; undefined when the key names nobody on WhatsApp. */
export function recipientOf(threadKey: string): Record<string, string> | undefined {
  if (threadKey.startsWith(GROUP)) return { recipient_type: 'group', to: threadKey.slice(GROUP.length) };
  if (isUserId(threadKey)) return { recipient_type: 'individual', recipient: threadKey };
  const digits = threadKey.replace(/^\+/, '');
  return WA_ID.test(digits) ? { recipient_type: 'individual', to: digits } : undefined;
}

/** The thread of an address that somebody typed; undefined for what is neither a number nor an id. */
export function threadKeyFor(address: string): string | undefined {
  const trimmed = address.trim();
  if (isUserId(trimmed) || trimmed.startsWith(GROUP)) return trimmed;
  const compact = trimmed.replaceAll(/[\s().\-/]/g, '').replace(/^00/, '+');
  return /^\+\d{5,20}$/.test(compact) ? compact : undefined;
}
