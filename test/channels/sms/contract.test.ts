import { smsAdapter } from '../../../src/channels/sms/adapter.ts';
import { adapterContract } from '../../contracts/adapter.ts';
import { twilioHarness } from '../../support/twilio/contract.ts';

adapterContract('sms', () =>
  twilioHarness({
    create: ({ egress }) => smsAdapter({ egress, signatures: () => [] }),
    settings: (twilio) => twilio.config(twilio.own('number', '+15550001111').name),
    threadKey: '+15557654321',
    fixtures: new URL('../../fixtures/sms/', import.meta.url),
  }),
);
