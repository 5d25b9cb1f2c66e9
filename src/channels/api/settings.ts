import { randomBytes } from 'node:crypto';
import { z } from 'zod';

/** A channel of the business's own: a program of theirs that we talk with in both directions. */
export const apiSettings = z.strictObject({
  /** Where messages to customers are delivered. */
  callback_url: z.url({ protocol: /^https?$/, error: 'must be an http(s) address' }).max(2_000),
  /** Signs what we deliver, and opens our door: as the key of Standard Webhooks, or as Bearer. */
  secret: z
    .string()
    .regex(/^whsec_[A-Za-z0-9+/]{32,86}={0,2}$/, 'must be whsec_ and 24 to 64 bytes in base64')
    .default(() => `whsec_${randomBytes(32).toString('base64')}`),
});

export type ApiSettings = z.infer<typeof apiSettings>;
