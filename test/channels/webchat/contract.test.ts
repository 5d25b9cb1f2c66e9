import { webchatAdapter } from '../../../src/channels/webchat/adapter.ts';
import { adapterContract } from '../../contracts/adapter.ts';

const secret = 'a secret that the shop shares with us';

adapterContract('webchat', async () => ({
  adapter: webchatAdapter,
  channel: {
    id: '019a0000-0000-7000-8000-000000000001',
    businessId: '019a0000-0000-7000-8000-000000000002',
    settings: webchatAdapter.settings.parse({
      allowed_origins: ['https://shop.example'],
      identity_secret: secret,
    }),
  },
  secrets: [secret],
}));
