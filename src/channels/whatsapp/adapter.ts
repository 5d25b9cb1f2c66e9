import { z } from 'zod';
import type { AdapterContext, ChannelAdapter } from '../../core/adapter.ts';
import { cloudWhatsAppAdapter } from './cloud/adapter.ts';
import { cloudSettings } from './cloud/settings.ts';
import { twilioWhatsAppAdapter } from './twilio/adapter.ts';
import { twilioWhatsAppSettings } from './twilio/settings.ts';

const whatsAppSettings = z.preprocess(
  withProvider,
  z.discriminatedUnion('provider', [cloudSettings, twilioWhatsAppSettings], 'must be cloud or twilio'),
);

type WhatsAppSettings = z.infer<typeof whatsAppSettings>;

/** WhatsApp numbers, each with the provider that its config names: Meta's own Cloud API, or Twilio. */
export function whatsAppAdapter(context: AdapterContext): ChannelAdapter<WhatsAppSettings> {
  const cloud = cloudWhatsAppAdapter(context);
  const twilio = twilioWhatsAppAdapter(context);
  return {
    ...cloud,
    settings: whatsAppSettings,
    secretKeys: [...cloud.secretKeys, ...twilio.secretKeys],
    hostKeys: [...new Set([...cloud.hostKeys, ...twilio.hostKeys])],
    accountKey: (settings) =>
      settings.provider === 'cloud'
        ? (cloud.accountKey?.(settings) ?? '')
        : (twilio.accountKey?.(settings) ?? ''),
    variant: ({ provider }) => (provider === 'cloud' ? cloud : twilio),
  };
}

function withProvider(config: unknown): unknown {
  return typeof config === 'object' && config !== null && !('provider' in config)
    ? { ...config, provider: 'cloud' }
    : config;
}
