import { z } from 'zod';
import { optional, refuseHalf, twilioAccount } from '../../shared/twilio/settings.ts';

/** A WhatsApp number that Twilio holds, as its business connected it. */
export const twilioWhatsAppSettings = z
  .strictObject({
    provider: z.literal('twilio'),
    ...twilioAccount,
    from: optional(
      z
        .string()
        .trim()
        .transform((text) => `whatsapp:+${text.replace(/^whatsapp:/i, '').replaceAll(/\D/g, '')}`)
        .refine((from) => /^whatsapp:\+[1-9]\d{6,14}$/.test(from), 'must be a number such as +15551234567'),
    ),
  })
  .superRefine(refuseHalf);

export type TwilioWhatsAppSettings = z.infer<typeof twilioWhatsAppSettings>;
