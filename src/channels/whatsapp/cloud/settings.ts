import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { apiRoot } from '../../shared/api-root.ts';

/** A number of WhatsApp's Cloud API as its business connected it. */
export const cloudSettings = z.strictObject({
  provider: z.literal('cloud').default('cloud'),
  phone_number_id: z
    .string()
    .trim()
    .regex(/^\d{5,30}$/, 'must be the id of the phone number (digits), not the number itself'),
  access_token: z.string().trim().min(1),
  app_secret: z.string().trim().min(1),
  verify_token: z
    .string()
    .min(8)
    .max(200)
    .default(() => randomBytes(24).toString('base64url')),
  /** Without it the account is found by the token, where that is possible. */
  business_account_id: z
    .string()
    .trim()
    .regex(/^\d{5,30}$/, 'must be the id of the WhatsApp Business Account (digits)')
    .optional(),
  /** How files reach Meta: uploaded by us, or fetched by Meta from our public address. */
  media: z.enum(['upload', 'link']).default('upload'),
  api_root: apiRoot('https://graph.facebook.com'),
  api_version: z
    .string()
    .regex(/^v\d{1,3}\.\d{1,2}$/, 'must look like v24.0')
    .default('v24.0'),
});

export type CloudSettings = z.infer<typeof cloudSettings>;

/** Names the number: an active one belongs to one channel, and an item of a batch says which one it is for. */
export function accountKey(phoneNumberId: string): string {
  return `whatsapp:${phoneNumberId}`;
}
