import { cloudWhatsAppAdapter } from '../../../../src/channels/whatsapp/cloud/adapter.ts';
import { cloudSettings } from '../../../../src/channels/whatsapp/cloud/settings.ts';
import { createEgress } from '../../../../src/core/egress.ts';
import type { OutboundMessage, SentPart } from '../../../../src/core/envelope.ts';
import { type FakeMeta, startMeta } from '../../../support/meta.ts';
import { outbound } from '../../../support/outbound.ts';

export const CUSTOMER = '+16505551234';

/** A number on a stand-in of its own, with the adapter that works it. */
export async function startNumber(config: Record<string, unknown> = {}) {
  const meta: FakeMeta = await startMeta();
  meta.know(CUSTOMER.slice(1));
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const adapter = cloudWhatsAppAdapter({ egress });
  const channel = {
    id: 'channel',
    businessId: 'business',
    settings: cloudSettings.parse({ ...meta.config, verify_token: 'the-verify-token', ...config }),
  };
  return {
    meta,
    adapter,
    channel,
    /** Splits and sends a message, part after part, as the core does. */
    async send(fields: Partial<OutboundMessage>): Promise<SentPart[]> {
      const sent: SentPart[] = [];
      for (const part of adapter.split(outbound({ threadKey: CUSTOMER, ...fields }), channel)) {
        const result = await adapter.send?.(part, channel, new AbortController().signal);
        if (result) sent.push(result);
      }
      return sent;
    },
    async close() {
      await meta.close();
      await egress.close();
    },
  };
}

export type TestNumber = Awaited<ReturnType<typeof startNumber>>;
