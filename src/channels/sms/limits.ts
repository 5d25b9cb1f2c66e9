import type { Limits } from '../../core/adapter.ts';

/** What Twilio takes for text messages and MMS. */
export const LIMITS: Limits = {
  textLength: 1600,
  attachmentsPerPart: 10,
  inboundBytes: 25_000_000,
  // All files of one message together.
  outboundBytes: 5_000_000,
  pictures: { types: ['image/jpeg', 'image/png', 'image/gif'], bytes: 5_000_000 },
};
