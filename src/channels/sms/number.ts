import type { Twilio } from 'twilio';
import type { Channel } from '../../core/adapter.ts';
import { findService, type Registration } from '../shared/twilio/account.ts';
import type { TwilioSettings } from '../shared/twilio/settings.ts';

/** Where Twilio sends what is written to this channel's number, short code or messaging service. */
export async function findSender(
  twilio: Twilio,
  { settings }: Channel<TwilioSettings>,
): Promise<Registration | string> {
  const { from = '', messaging_service_sid } = settings;
  if (messaging_service_sid !== undefined) return findService(twilio, messaging_service_sid);
  if (from.startsWith('+')) return (await findNumber(twilio, from)) ?? unknown(from);
  if (/^\d+$/.test(from)) return (await findShortCode(twilio, from)) ?? unknown(from);
  return `Nobody can answer to the name "${from}": it only sends.`;
}

function unknown(from: string): string {
  return `The account has no number ${from}: where it is hosted, enter this channel’s address for incoming messages.`;
}

async function findNumber(twilio: Twilio, from: string): Promise<Registration | undefined> {
  const [number] = await twilio.incomingPhoneNumbers.list({ phoneNumber: from, limit: 1 });
  if (number === undefined) return undefined;
  const apart = number.smsApplicationSid ? { smsApplicationSid: '' } : {};
  return {
    name: number.phoneNumber,
    // An application that the number belongs to is called instead of the number's own address.
    url: number.smsApplicationSid ? null : number.smsUrl,
    register: (smsUrl) =>
      twilio.incomingPhoneNumbers(number.sid).update({ smsUrl, smsMethod: 'POST', ...apart }),
  };
}

async function findShortCode(twilio: Twilio, from: string): Promise<Registration | undefined> {
  const [code] = await twilio.shortCodes.list({ shortCode: from, limit: 1 });
  if (code === undefined) return undefined;
  return {
    name: code.shortCode,
    url: code.smsUrl,
    register: (smsUrl) => twilio.shortCodes(code.sid).update({ smsUrl, smsMethod: 'POST' }),
  };
}
