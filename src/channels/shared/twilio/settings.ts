import { z } from 'zod';
import { apiRoot } from '../api-root.ts';

/** Twilio's own servers; anything else is a region of theirs or a stand-in. */
export const TWILIO_ROOT = 'https://api.twilio.com';

const token = z
  .string()
  .trim()
  .regex(/^\S{8,}$/, 'must be a token as the Twilio console shows it');

/** One of Twilio's ids, which begin with two letters that say of what. */
function sid(letters: string) {
  return z
    .string()
    .trim()
    .regex(new RegExp(`^${letters}[0-9a-fA-F]{32}$`), `must be ${letters} and 32 hex digits`);
}

/** Left out, null and undefined are the same; null takes a stored one away. */
export function optional<T>(schema: z.ZodType<T>) {
  return schema.nullish().transform((value) => value ?? undefined);
}

/** What every channel that goes through Twilio says of its account. */
export const twilioAccount = {
  account_sid: sid('AC'),
  auth_token: token,
  // While the account's token is being replaced both are valid: whichever signed a request, it is let in.
  secondary_auth_token: optional(token),
  api_key_sid: optional(sid('SK')),
  api_key_secret: optional(token),
  messaging_service_sid: optional(sid('MG')),
  api_root: apiRoot(TWILIO_ROOT),
};

/** The part of a channel's settings that leads to Twilio. */
export interface TwilioSettings {
  account_sid: string;
  auth_token: string;
  secondary_auth_token?: string | undefined;
  api_key_sid?: string | undefined;
  api_key_secret?: string | undefined;
  messaging_service_sid?: string | undefined;
  from?: string | undefined;
  api_root: string;
}

export const TWILIO_SECRETS = ['auth_token', 'secondary_auth_token', 'api_key_secret'] as const;
export const TWILIO_HOSTS = ['api_root'] as const;

/** What zod cannot see in one field: something to send from, and an API key that is whole. */
export function refuseHalf(settings: Partial<TwilioSettings>, context: z.RefinementCtx): void {
  const missing = (field: string, message: string) =>
    context.addIssue({ code: 'custom', path: [field], message });
  if (settings.from === undefined && settings.messaging_service_sid === undefined)
    missing('from', 'is needed, or a messaging_service_sid');
  if (settings.api_key_sid !== undefined && settings.api_key_secret === undefined)
    missing('api_key_secret', 'is needed with api_key_sid');
  if (settings.api_key_secret !== undefined && settings.api_key_sid === undefined)
    missing('api_key_sid', 'is needed with api_key_secret');
}

/** The tokens that a request from Twilio may be signed with. */
export function signingTokens({ auth_token, secondary_auth_token }: TwilioSettings): string[] {
  return secondary_auth_token === undefined ? [auth_token] : [auth_token, secondary_auth_token];
}

/** Names the account's sender, so that it belongs to one channel. */
export function senderKey({ account_sid, from, messaging_service_sid }: TwilioSettings): string {
  return `twilio:${account_sid}:${from ?? messaging_service_sid}`;
}
