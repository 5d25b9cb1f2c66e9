import type { Twilio } from 'twilio';
import type { Channel } from '../../../core/adapter.ts';
import { findService, type Registration } from '../../shared/twilio/account.ts';
import type { TwilioSettings } from '../../shared/twilio/settings.ts';

const MOST_SENDERS = 1_000;

/** Where Twilio sends what is written to this channel's WhatsApp number. */
export async function findSender(
  twilio: Twilio,
  { settings: { from, messaging_service_sid } }: Channel<TwilioSettings>,
): Promise<Registration | string> {
  if (from === undefined) return findService(twilio, messaging_service_sid ?? '');
  const senders = await twilio.messaging.v2.channelsSenders.list({
    channel: 'whatsapp',
    limit: MOST_SENDERS,
  });
  const sender = senders.find(({ senderId }) => senderId === from);
  if (sender === undefined) return SANDBOX;
  return {
    name: from.replace('whatsapp:', ''),
    url: sender.webhook?.callbackUrl ?? null,
    register: (url) => {
      // The SDK reads the API's spelling and does not write it.
      const request = { webhook: { callback_url: url, callback_method: 'POST' } };
      return twilio.messaging.v2.channelsSenders(sender.sid).update(request as never);
    },
  };
}

const SANDBOX =
  'The account has no WhatsApp sender of this number. For the sandbox, enter this channel’s address under ' +
  '"Messaging – Try it out – Send a WhatsApp message – Sandbox settings – When a message comes in".';
