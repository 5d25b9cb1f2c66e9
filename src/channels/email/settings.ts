import { randomBytes } from 'node:crypto';
import { z } from 'zod';

const MEGABYTE = 1024 * 1024;
const ADDRESS = /^[^\s@"<>(),:;\\[\]]{1,64}@[^\s@"<>(),:;\\[\]]+\.[^\s@"<>(),:;\\[\]]+$/;

const host = z
  .string()
  .trim()
  .regex(/^[A-Za-z0-9._:-]{1,253}$/, 'must be a host name');
const port = z.int().min(1).max(65_535);
const credential = z.string().min(1).max(4_096);

const smtp = z.strictObject({
  host,
  port: port.default(587),
  /** TLS from the first byte (465); otherwise STARTTLS where the server offers it. */
  secure: z.boolean().default(false),
  user: credential.optional(),
  pass: credential.optional(),
});

const imap = z.strictObject({
  host,
  port: port.default(993),
  secure: z.boolean().default(true),
  user: credential,
  /** Not needed with `oauth`. */
  pass: credential.optional(),
  mailbox: z.string().min(1).max(255).default('INBOX'),
});

/** Google and Microsoft take short-lived tokens instead of passwords; we refresh them. */
const oauth = z.strictObject({
  provider: z.enum(['google', 'microsoft']),
  client_id: credential,
  client_secret: credential.optional(),
  refresh_token: credential,
  /** Microsoft's directory; `common` serves accounts of any. */
  tenant: z
    .string()
    .regex(/^[A-Za-z0-9.-]{1,100}$/)
    .default('common'),
  token_url: z.url({ protocol: /^https?$/ }).optional(),
});

const dkim = z.strictObject({
  domain: host,
  selector: z.string().regex(/^[A-Za-z0-9._-]{1,63}$/, 'must be a DKIM selector'),
  private_key: z.string().includes('PRIVATE KEY', { error: 'must be a private key in PEM' }),
});

/** A mailbox or address as its business connected it. */
export const emailSettings = z
  .strictObject({
    address: z
      .string()
      .trim()
      .regex(ADDRESS, 'must be an email address')
      .max(254)
      .transform((text) => text.toLowerCase()),
    from_name: z
      .string()
      .trim()
      .max(200)
      .regex(/^[^\r\n]*$/)
      .optional(),
    smtp,
    imap: imap.optional(),
    oauth: oauth.optional(),
    /** What the HTTP door wants to see: as Bearer, as the password of HTTP Basic, or as the key of an HMAC. */
    inbound_secret: z
      .string()
      .min(16)
      .max(512)
      .default(() => randomBytes(32).toString('base64url')),
    dkim: dkim.optional(),
    /** The name under which a mail server of the business's own notes SPF, DKIM and DMARC (`mx.example.com`): it is believed. */
    authserv_id: host.optional(),
    /** Whether mail to `support+anything@…` arrives; without it replies are recognised by their headers only. */
    plus_addressing: z.boolean().default(true),
    /** Whether earlier messages are quoted below an answer. */
    quote_history: z.boolean().default(false),
    /** How long after an automatic answer the same customer gets no further one; 0 sets no limit. */
    automatic_answer_minutes: z.int().min(0).max(10_080).default(60),
    remote_content: z.enum(['blocked', 'allowed']).default('blocked'),
    max_message_bytes: z
      .int()
      .min(64 * 1024)
      .max(100 * MEGABYTE)
      .default(25 * MEGABYTE),
  })
  .refine(({ imap, oauth }) => imap?.pass !== undefined || imap === undefined || oauth !== undefined, {
    error: 'is needed where there is no oauth',
    path: ['imap', 'pass'],
  });

export type EmailSettings = z.infer<typeof emailSettings>;
export type OauthSettings = NonNullable<EmailSettings['oauth']>;
export type ImapSettings = NonNullable<EmailSettings['imap']>;

/** The account: mail to one address goes to one channel. */
export function accountKey(address: string): string {
  return `email:${address.toLowerCase()}`;
}
