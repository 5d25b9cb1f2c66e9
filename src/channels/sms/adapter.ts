import type { AdapterContext, ChannelAdapter } from '../../core/adapter.ts';
import { SendRejected } from '../../core/errors.ts';
import { askSender, connectSender } from '../shared/twilio/account.ts';
import { catchUp } from '../shared/twilio/catch-up.ts';
import { createCall } from '../shared/twilio/client.ts';
import { readListed, twilioDoor } from '../shared/twilio/door.ts';
import { rethrow } from '../shared/twilio/errors.ts';
import { fetchMedia } from '../shared/twilio/media.ts';
import { sendPart } from '../shared/twilio/send.ts';
import { senderKey, TWILIO_HOSTS, TWILIO_SECRETS } from '../shared/twilio/settings.ts';
import { listTemplates } from '../shared/twilio/template.ts';
import { addressOf, threadKeyFor } from './address.ts';
import { LIMITS } from './limits.ts';
import { findSender } from './number.ts';
import { readMessage } from './parse.ts';
import { type SmsSettings, smsSettings } from './settings.ts';
import { split } from './split.ts';

const READING = { threadKeyIn: (address: string) => address, readMessage, isTextMessage: true };

/** Text messages and MMS, by Twilio. */
export function smsAdapter({ egress }: AdapterContext): ChannelAdapter<SmsSettings> {
  const call = createCall(egress);
  return {
    type: 'sms',
    settings: smsSettings,
    secretKeys: TWILIO_SECRETS,
    hostKeys: TWILIO_HOSTS,
    limits: LIMITS,
    opensThreads: false,
    sendIsIdempotent: false,
    accountKey: senderKey,
    threadKeyFor,
    split,
    send(part, channel, signal) {
      const to = addressOf(part.threadKey);
      if (to === undefined) throw new SendRejected(`"${part.threadKey}" is no number that takes texts.`);
      return sendPart(call, part, { channel, signal, to, mostBytes: LIMITS.outboundBytes });
    },
    door: twilioDoor(READING),
    connect: (channel) => connectSender(call, channel, findSender),
    health: (channel) => askSender(call, channel, findSender),
    fetchAttachment: (ref, channel, signal) =>
      fetchMedia(ref, { egress, channel, signal, mostBytes: LIMITS.inboundBytes }),
    templates: ({ settings }) =>
      call(settings, (twilio) => listTemplates(twilio, { needsApproval: false })).catch(rethrow),
    catchUp: (channel, context) => catchUp(call, channel, { context, read: readListed(READING) }),
  };
}
