import { twilioWhatsAppAdapter } from '../../../src/channels/whatsapp/twilio/adapter.ts';
import { adapterContract } from '../../contracts/adapter.ts';
import { twilioHarness } from '../../support/twilio/contract.ts';

adapterContract('whatsapp by Twilio', () =>
  twilioHarness({
    create: ({ egress }) => twilioWhatsAppAdapter({ egress, signatures: () => [] }),
    settings: (twilio) => ({
      provider: 'twilio',
      ...twilio.config(twilio.own('whatsapp', 'whatsapp:+15550001111').name),
    }),
    threadKey: '+15557654321',
    fixtures: new URL('../../fixtures/twilio-whatsapp/', import.meta.url),
  }),
);
