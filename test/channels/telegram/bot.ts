import { telegramAdapter } from '../../../src/channels/telegram/adapter.ts';
import { telegramSettings } from '../../../src/channels/telegram/settings.ts';
import { createEgress } from '../../../src/core/egress.ts';
import type { OutboundMessage, SentPart } from '../../../src/core/envelope.ts';
import { outbound } from '../../support/outbound.ts';
import { startTelegram } from '../../support/telegram.ts';

/** A bot on a stand-in of its own, with the adapter that works it. */
export async function startBot(options: Parameters<typeof startTelegram>[0] = {}) {
  const telegram = await startTelegram(options);
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const adapter = telegramAdapter({ egress }, { conflictWaitMs: 20 });
  const channel = {
    id: 'channel',
    businessId: 'business',
    settings: telegramSettings.parse(telegram.config),
  };
  return {
    telegram,
    adapter,
    channel,
    /** Splits and sends a message, part after part, as the core does. */
    async send(fields: Partial<OutboundMessage>): Promise<SentPart[]> {
      const sent: SentPart[] = [];
      for (const part of adapter.split(outbound(fields), channel)) {
        const threadKey = sent.findLast(({ newThreadKey }) => newThreadKey)?.newThreadKey ?? part.threadKey;
        const result = await adapter.send?.({ ...part, threadKey }, channel, new AbortController().signal);
        if (result) sent.push(result);
      }
      return sent;
    },
    async close() {
      await telegram.close();
      await egress.close();
    },
  };
}

export type Bot = Awaited<ReturnType<typeof startBot>>;
