import { z } from 'zod';
import { refuseHalf, twilioAccount } from '../shared/twilio/settings.ts';

const PHONE = /^\+[1-9]\d{6,14}$/;
const SHORT_CODE = /^\d{3,8}$/;
const NAME = /^(?=.*[A-Za-z])[A-Za-z0-9 &+_-]{1,11}$/;

/** A number at Twilio, a short code or a name, as its business connected it. */
export const smsSettings = z
  .strictObject({
    ...twilioAccount,
    from: z
      .string()
      .trim()
      .transform((text) => (text.startsWith('+') ? `+${text.replaceAll(/\D/g, '')}` : text))
      .refine(
        (text) => PHONE.test(text) || SHORT_CODE.test(text) || NAME.test(text),
        'must be a number such as +15551234567, a short code, or a name of up to 11 letters',
      )
      .nullish()
      .transform((from) => from ?? undefined),
  })
  .superRefine(refuseHalf);

export type SmsSettings = z.infer<typeof smsSettings>;
