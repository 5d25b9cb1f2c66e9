import type { InboundMessage, Sender } from '../../core/envelope.ts';
import type { Params } from '../shared/twilio/body.ts';
import { readMedia } from '../shared/twilio/media.ts';

/** What a text message or MMS says. */
export function readMessage(params: Params, sid: string): InboundMessage | undefined {
  const from = params.get('From');
  if (from === undefined) return undefined;
  const attachments = readMedia(params);
  return {
    kind: 'message',
    externalEventId: sid,
    externalId: sid,
    threadKey: from,
    sender: senderOf(from, params),
    type: attachments.length > 0 ? 'attachment' : 'text',
    content: params.get('Body') ?? '',
    ...(attachments.length > 0 ? { attachments } : {}),
    metadata: picked(params, KEPT),
  };
}

/** Not everybody who sends a text has a number: companies have names. */
function senderOf(address: string, params: Params): Sender {
  const isPhone = address.startsWith('+');
  const place = picked(params, PLACE);
  return {
    address,
    kind: isPhone ? 'phone' : 'id',
    ...(isPhone ? { phone: address } : { name: address }),
    ...(Object.keys(place).length > 0 ? { profile: place } : {}),
  };
}

const PLACE = { FromCity: 'city', FromState: 'state', FromZip: 'zip', FromCountry: 'country' } as const;

const KEPT = {
  To: 'to',
  MessagingServiceSid: 'messaging_service_sid',
  NumSegments: 'segments',
  OptOutType: 'opt_out_type',
} as const;

function picked(params: Params, names: Record<string, string>): Record<string, string> {
  const known = Object.entries(names).flatMap(([theirs, ours]): [string, string][] => {
    const value = params.get(theirs);
    return value === undefined ? [] : [[ours, value]];
  });
  return Object.fromEntries(known);
}
