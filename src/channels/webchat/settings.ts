import { z } from 'zod';

/** An origin as browsers send it, whatever path the owner pasted behind it; `*` allows every site. */
const origin = z
  .string()
  .trim()
  .refine((text) => text === '*' || isWebOrigin(text), 'must be an origin, like https://shop.example')
  .transform((text) => (text === '*' ? text : new URL(text).origin));

function isWebOrigin(text: string): boolean {
  return URL.canParse(text) && /^https?:$/.test(new URL(text).protocol);
}

export const webchatSettings = z.strictObject({
  /** Sites that may show the widget; every site while the list is empty. */
  allowed_origins: z.array(origin).max(100).default([]),
  /** The key that the business's own backend signs identity tokens with (JWT, HS256). */
  identity_secret: z.string().min(8).max(512).optional(),
  name: z.string().trim().max(80).default('Chat'),
  welcome_heading: z.string().max(200).default('Hi there'),
  welcome_tagline: z.string().max(400).default('How can we help?'),
  primary_color: z
    .string()
    .regex(/^#(?:[0-9a-f]{3}|[0-9a-f]{6})$/i, 'must be a hex color, like #2563eb')
    .default('#2563eb'),
  logo_url: z
    .url({ protocol: /^https?$/ })
    .nullable()
    .default(null),
  show_online_badge: z.boolean().default(true),
});

export type WebchatSettings = z.infer<typeof webchatSettings>;
