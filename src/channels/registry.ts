import type { AdapterContext, ChannelAdapter, ChannelRegistry } from '../core/adapter.ts';
import { apiAdapter } from './api/adapter.ts';
import { telegramAdapter } from './telegram/adapter.ts';
import { webchatAdapter } from './webchat/adapter.ts';

/** Every channel that Tributary speaks: adding one is one line here. */
export function createRegistry(context: AdapterContext): ChannelRegistry {
  const adapters: ChannelAdapter[] = [apiAdapter(context), telegramAdapter(context), webchatAdapter];
  return new Map(adapters.map((adapter) => [adapter.type, adapter]));
}
