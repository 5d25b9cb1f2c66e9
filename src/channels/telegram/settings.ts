import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { apiRoot } from '../shared/api-root.ts';

/** Telegram's own servers; anything else is a self-hosted Bot API server with wider limits. */
const TELEGRAM_ROOT = 'https://api.telegram.org';

/** A bot as its business connected it. */
export const telegramSettings = z.strictObject({
  bot_token: z
    .string()
    .trim()
    .regex(/^\d+:[A-Za-z0-9_-]+$/, 'must be a bot token as @BotFather gives it'),
  secret_token: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,256}$/, 'takes 1-256 letters, digits, _ and -')
    .default(() => randomBytes(32).toString('base64url')),
  api_root: apiRoot(TELEGRAM_ROOT),
});

export type TelegramSettings = z.infer<typeof telegramSettings>;

/** The bot's own user id, which Telegram puts in front of the token. */
export function botId(settings: TelegramSettings): string {
  return settings.bot_token.slice(0, settings.bot_token.indexOf(':'));
}

/** Whether the bot lives on a Bot API server of the business's own, where files may be 2 GB. */
export function isSelfHosted(settings: TelegramSettings): boolean {
  return settings.api_root !== TELEGRAM_ROOT;
}
