import { smsAdapter } from '../../../src/channels/sms/adapter.ts';
import { twilioWhatsAppAdapter } from '../../../src/channels/whatsapp/twilio/adapter.ts';
import type { ChannelAdapter } from '../../../src/core/adapter.ts';
import { createEgress } from '../../../src/core/egress.ts';
import type { OutboundMessage, SentPart } from '../../../src/core/envelope.ts';
import { outbound } from '../../support/outbound.ts';
import { startTwilio } from '../../support/twilio.ts';

export const OURS = '+15550001111';
export const THEIRS = '+15557654321';
const DOOR = 'https://chat.example/webhooks/twilio/channel';

/** An SMS and a WhatsApp channel on a stand-in of their own, without a gateway around them. */
export async function startLine(config: Record<string, unknown> = {}) {
  const twilio = await startTwilio();
  const sender = twilio.own('number', OURS);
  twilio.own('whatsapp', `whatsapp:${OURS}`);
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const context = { egress, signatures: () => [] };
  const sms = smsAdapter(context);
  const whatsapp = twilioWhatsAppAdapter(context);

  function channelOf<S>(adapter: ChannelAdapter<S>, settings: unknown) {
    return {
      id: 'channel',
      businessId: 'business',
      doorUrl: DOOR,
      settings: adapter.settings.parse(settings),
    };
  }

  const channels = {
    sms: channelOf(sms, { ...twilio.config(OURS), ...config }),
    whatsapp: channelOf(whatsapp, { provider: 'twilio', ...twilio.config(OURS), ...config }),
  };

  async function sendWith<S>(
    adapter: ChannelAdapter<S>,
    channel: ReturnType<typeof channelOf<S>>,
    fields: Partial<OutboundMessage>,
  ): Promise<SentPart[]> {
    const sent: SentPart[] = [];
    for (const part of adapter.split(outbound({ threadKey: THEIRS, ...fields }), channel)) {
      const result = await adapter.send?.(part, channel, new AbortController().signal);
      if (result) sent.push(result);
    }
    return sent;
  }

  return {
    twilio,
    sender,
    sms,
    whatsapp,
    channels,
    sendSms: (fields: Partial<OutboundMessage>) => sendWith(sms, channels.sms, fields),
    sendWhatsApp: (fields: Partial<OutboundMessage>) => sendWith(whatsapp, channels.whatsapp, fields),
    /** The forms of the messages that were created, as they were posted. */
    created: () =>
      twilio.calls
        .filter(({ method, path }) => method === 'POST' && /\/Messages\.json$/.test(path))
        .map(({ form }) => form),
    async close() {
      await egress.close();
      await twilio.close();
    },
  };
}

export type Line = Awaited<ReturnType<typeof startLine>>;
