import type { Channel, Door, DoorAnswer, DoorRequest } from '../../../core/adapter.ts';
import type { Inbound } from '../../../core/envelope.ts';
import { type Params, paramsOf, readEvents } from './body.ts';
import { messageInUrl } from './callback.ts';
import { readConsent } from './consent.ts';
import { signingTokens, type TwilioSettings } from './settings.ts';
import { isSigned, signedProbe } from './signature.ts';
import { isInbound, messageSid, readStatus } from './status.ts';

/** What differs between the channels that Twilio carries. */
export interface Reading {
  /** The thread of an address as Twilio writes it; undefined where it is none of this channel's. */
  threadKeyIn(address: string): string | undefined;
  /** What a customer's message means. */
  readMessage(params: Params, sid: string): Inbound | undefined;
  isTextMessage: boolean;
}

// "Nothing to say": every other answer would be sent to the customer.
const EMPTY_TWIML: DoorAnswer = { status: 200, contentType: 'text/xml', body: '<Response/>' };

/** The door that Twilio calls, for messages and for the statuses of ours. */
export function twilioDoor(reading: Reading): Required<
  Pick<Door<TwilioSettings>, 'verify' | 'probe' | 'answer'>
> & {
  parse(request: DoorRequest, channel: Channel<TwilioSettings>): Inbound[];
} {
  return {
    verify: (request, { settings }) => isSigned(request, signingTokens(settings)),
    parse: (request) => readEvents(request).flatMap((params) => readEvent(params, request.url, reading)),
    probe: ({ settings }, url) => signedProbe(settings.auth_token, url),
    answer: () => EMPTY_TWIML,
  };
}

/** How what Twilio lists is read, once it is put into the words of a callback. */
export function readListed(reading: Reading): (event: Record<string, string>) => Inbound[] {
  return (event) => readEvent(paramsOf(event), '', reading);
}

/** What one event means, whoever told us of it. */
function readEvent(params: Params, url: string, reading: Reading): Inbound[] {
  if (!isInbound(params)) return readStatus(params, { ...reading, sentFrom: messageInUrl(url) });
  const sid = messageSid(params);
  const message = sid === undefined ? undefined : reading.readMessage(params, sid);
  if (sid === undefined || message === undefined) return [];
  const consent = message.kind === 'message' ? readConsent(params, reading) : undefined;
  if (consent === undefined) return [message];
  const { said, keyword } = consent;
  const { threadKey } = message;
  return [message, { kind: 'consent', externalEventId: `${sid}:consent`, threadKey, ...said, keyword }];
}
