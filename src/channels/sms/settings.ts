import { z } from 'zod';
import { optional, refuseHalf, twilioAccount } from '../shared/twilio/settings.ts';
import { threadKeyFor } from './address.ts';

const NAME = /^(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}$/;

/** A number at Twilio, a short code or a name, as its business connected it. */
export const smsSettings = z
  .strictObject({
    ...twilioAccount,
    from: optional(
      z
        .string()
        .trim()
        .transform((text) => (text.startsWith('+') ? `+${text.replaceAll(/\D/g, '')}` : text))
        .refine(
          (text) => threadKeyFor(text) === text || NAME.test(text),
          'must be a number such as +15551234567, a short code, or a name of up to 11 letters',
        ),
    ),
  })
  .superRefine(refuseHalf);

export type SmsSettings = z.infer<typeof smsSettings>;
