import type { Channel, Health, Setup } from '../../core/adapter.ts';
import { hostOf } from '../shared/host-of.ts';
import type { Call } from './client.ts';
import { refusesToken, TelegramRefusal, TelegramUnreachable } from './errors.ts';
import type { TelegramSettings } from './settings.ts';
import { ALLOWED_UPDATES } from './update.ts';

/** Registers the door with Telegram; without one the bot is read by long polling. */
export async function connect(
  call: Call,
  { settings }: Channel<TelegramSettings>,
  doorUrl: string | undefined,
): Promise<Setup> {
  const bot = await call(settings, (api) => api.getMe());
  const done = [`The bot is @${bot.username}.`];
  const todo = bot.can_read_all_group_messages ? [] : [PRIVACY_HINT];
  if (doorUrl === undefined) {
    return {
      done: [...done, 'There is no public https address, so its updates are read by long polling.'],
      todo,
    };
  }
  await call(settings, (api) =>
    api.setWebhook({
      url: doorUrl,
      secret_token: settings.secret_token,
      allowed_updates: ALLOWED_UPDATES,
      drop_pending_updates: false,
    }),
  );
  return { done: [...done, 'Telegram sends its updates to this channel.'], todo };
}

const PRIVACY_HINT =
  'In groups the bot hears only commands and replies to itself. To hear everything, turn off its privacy mode ' +
  '(@BotFather, /setprivacy) and add it to the group again.';

interface HealthOptions {
  doorUrl: string | undefined;
  /** What Telegram said when another program read this bot's updates. */
  conflict: string | undefined;
}

/** Whether the token works and the updates come to us. */
export async function health(
  call: Call,
  { settings }: Channel<TelegramSettings>,
  { doorUrl, conflict }: HealthOptions,
): Promise<Health> {
  try {
    const [bot, webhook] = await Promise.all([
      call(settings, (api) => api.getMe()),
      call(settings, (api) => api.getWebhookInfo()),
    ]);
    const problem =
      conflict === undefined
        ? webhookProblem(webhook.url ?? '', doorUrl)
        : `Another program reads this bot's updates: ${conflict}`;
    return {
      ok: problem === undefined,
      detail: problem ?? `@${bot.username} works, by ${doorUrl === undefined ? 'long polling' : 'webhook'}.`,
      facts: {
        bot_username: bot.username,
        reads_all_group_messages: bot.can_read_all_group_messages,
        pending_updates: webhook.pending_update_count,
        ...(webhook.last_error_message === undefined ? {} : { last_error: webhook.last_error_message }),
        ...(webhook.last_error_date === undefined
          ? {}
          : { last_error_at: new Date(webhook.last_error_date * 1000).toISOString() }),
      },
    };
  } catch (error) {
    return { ok: false, detail: whyNot(error) };
  }
}

function webhookProblem(registered: string, doorUrl: string | undefined): string | undefined {
  if (doorUrl === undefined) {
    return registered === ''
      ? undefined
      : `The bot's updates go to a webhook elsewhere, at ${hostOf(registered)}.`;
  }
  if (registered === '') return 'No webhook is registered with Telegram: save the channel again.';
  return registered === doorUrl
    ? undefined
    : `The webhook is registered for another address, at ${hostOf(registered)}.`;
}

function whyNot(error: unknown): string {
  if (error instanceof TelegramRefusal && refusesToken(error))
    return 'Telegram does not accept the bot token.';
  if (error instanceof TelegramRefusal || error instanceof TelegramUnreachable) return error.message;
  throw error;
}
