import { signForm } from '../test/support/twilio/sign.ts';
import { metaRequests } from './meta-webhooks.ts';
import { type Range, telegramUpdates, textOf } from './updates.ts';

/** A door, and how its provider signs what it posts there; without that the headers are the same each time. */
export interface Target {
  url: string;
  headers: Record<string, string>;
  signing?:
    | { provider: 'twilio'; secret: string; publicUrl: string }
    | { provider: 'meta'; secret: string; phoneNumberId: string };
}

export interface DoorRequest {
  headers: Record<string, string>;
  body: string;
}

/** What the provider of the door posts there: one text message each, the senders taking turns. */
export function requestsTo({ headers, signing }: Target, range: Range): DoorRequest[] {
  if (signing === undefined) return telegramUpdates(range).map((body) => ({ headers, body }));
  if (signing.provider === 'meta') {
    return metaRequests(range, signing).map(({ signature, body }) => {
      return { headers: { ...headers, 'x-hub-signature-256': signature }, body };
    });
  }
  const { secret, publicUrl } = signing;
  return Array.from({ length: range.count }, (_, n) => {
    const form = twilioForm(range.from + n, (range.from + n) % range.senders);
    const signature = signForm(secret, publicUrl, form);
    return { headers: { ...headers, 'x-twilio-signature': signature }, body: String(form) };
  });
}

/** A form as Twilio posts it. */
function twilioForm(n: number, sender: number): URLSearchParams {
  const sid = `SM${n.toString(16).padStart(32, '0')}`;
  return new URLSearchParams({
    ToCountry: 'US',
    SmsMessageSid: sid,
    NumMedia: '0',
    SmsSid: sid,
    FromState: 'CO',
    SmsStatus: 'received',
    FromCity: 'DENVER',
    Body: textOf(n),
    FromCountry: 'US',
    To: '+15550001111',
    NumSegments: '1',
    MessageSid: sid,
    AccountSid: `AC${'0'.repeat(32)}`,
    From: `+1555${String(1_000_000 + sender)}`,
    ApiVersion: '2010-04-01',
  });
}
