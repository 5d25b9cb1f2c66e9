import type { AdapterContext, ChannelAdapter, ChannelRegistry } from '../core/adapter.ts';
import { apiAdapter } from './api/adapter.ts';
import { emailAdapter } from './email/adapter.ts';
import { smsAdapter } from './sms/adapter.ts';
import { telegramAdapter } from './telegram/adapter.ts';
import { webchatAdapter } from './webchat/adapter.ts';
import { whatsAppAdapter } from './whatsapp/adapter.ts';

/** Every channel that Tributary speaks: adding one is one line here. */
export function createRegistry(context: AdapterContext): ChannelRegistry {
  const adapters: ChannelAdapter[] = [
    apiAdapter(context),
    emailAdapter(context),
    smsAdapter(context),
    telegramAdapter(context),
    webchatAdapter,
    whatsAppAdapter(context),
  ];
  return new Map(adapters.map((adapter) => [adapter.type, adapter]));
}
