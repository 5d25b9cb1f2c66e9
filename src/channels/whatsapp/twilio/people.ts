import type { Params } from '../../shared/twilio/body.ts';
import { isUserId, type Person, threadKeyFor } from '../cloud/people.ts';

const PREFIX = 'whatsapp:';

/** Who wrote: by their number, by the id that WhatsApp gave them for this business, or by both. */
export function personOf(params: Params): Person | undefined {
  const address = params.get('From') ?? '';
  const from = withoutPrefix(address);
  const id = withoutPrefix(params.get('ExternalUserId') ?? '');
  const waId = params.get('WaId');
  const phone = [from, waId === undefined ? '' : `+${waId}`].find((it) => /^\+\d{3,20}$/.test(it));
  // Whatever ids will look like one day: who wrote on WhatsApp is heard.
  const other = phone === undefined && from !== '' && from !== address ? from : undefined;
  const userId = [id, from].find(isUserId) ?? other;
  const parentUserId = withoutPrefix(params.get('ParentExternalUserId') ?? '') || undefined;
  if (phone === undefined && userId === undefined) return undefined;
  return { phone, userId, parentUserId, name: params.get('ProfileName') };
}

/** The thread of an address as Twilio writes it; the channel's other addresses are none. */
export function threadKeyIn(address: string): string | undefined {
  return address.startsWith(PREFIX) ? threadKeyFor(withoutPrefix(address)) : undefined;
}

/** Where a thread's messages go; undefined for a thread that Twilio cannot write to. */
export function addressOf(threadKey: string): string | undefined {
  const isPerson = /^\+\d{3,20}$/.test(threadKey) || isUserId(threadKey);
  return isPerson ? PREFIX + threadKey : undefined;
}

function withoutPrefix(address: string): string {
  return address.startsWith(PREFIX) ? address.slice(PREFIX.length) : address;
}
