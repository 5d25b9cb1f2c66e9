import { setTimeout as sleep } from 'node:timers/promises';
import type { Channel, ListenContext } from '../../core/adapter.ts';
import type { Inbound } from '../../core/envelope.ts';
import type { Call } from './client.ts';
import { sendError, TelegramRefusal, waitMs } from './errors.ts';
import { parseUpdate } from './parse.ts';
import { botId, type TelegramSettings } from './settings.ts';
import { ALLOWED_UPDATES } from './update.ts';

const POLL_SECONDS = 25;
const POLL_TIMEOUT_MS = (POLL_SECONDS + 10) * 1000;

interface PollOptions {
  /** Why another reader keeps us from polling, for the channel's health. */
  conflicts: Map<string, string>;
  conflictWaitMs: number;
}

interface Polled {
  channel: Channel<TelegramSettings>;
  context: ListenContext;
}

type Updates = { update_id: number }[];

/** Reads the bot's updates until it is told to stop. The offset moves only past what was committed. */
export async function poll(call: Call, polled: Polled, options: PollOptions): Promise<void> {
  const { channel, context } = polled;
  try {
    await removeWebhook(call, channel.settings, context);
    let offset = offsetIn(context.state, channel.settings);
    while (!context.signal.aborted) offset = await pollOnce(call, polled, { ...options, offset });
  } catch (error) {
    if (!context.signal.aborted) throw error instanceof TelegramRefusal ? sendError(error) : error;
  } finally {
    options.conflicts.delete(channel.id);
  }
}

async function pollOnce(
  call: Call,
  polled: Polled,
  { offset, ...options }: PollOptions & { offset: number | undefined },
): Promise<number | undefined> {
  const { channel, context } = polled;
  const updates = await nextUpdates(call, polled, offset).catch((error: unknown) =>
    waitFor(error, polled, options),
  );
  if (updates === undefined) return offset;
  options.conflicts.delete(channel.id);
  if (updates.length === 0) return offset;
  await receiveAll(updates, channel.settings, context);
  const next = Math.max(...updates.map((update) => update.update_id)) + 1;
  await context.saveState({ bot_id: botId(channel.settings), offset: next });
  return next;
}

/** Telegram gives updates to a webhook or to us, never to both. Asked once: two gateways must not fight for a bot. */
async function removeWebhook(
  call: Call,
  settings: TelegramSettings,
  { signal, log }: ListenContext,
): Promise<void> {
  const { url } = await call(settings, (api) => api.getWebhookInfo(), { signal });
  if (!url) return;
  await call(settings, (api) => api.deleteWebhook({ drop_pending_updates: false }), { signal });
  log('removed the webhook of this bot to read its updates by long polling');
}

/** Update ids belong to one bot: another token starts anew. */
function offsetIn(state: Record<string, unknown>, settings: TelegramSettings): number | undefined {
  return state['bot_id'] === botId(settings) && typeof state['offset'] === 'number'
    ? state['offset']
    : undefined;
}

function nextUpdates(call: Call, { channel, context }: Polled, offset: number | undefined): Promise<Updates> {
  const parameters = { timeout: POLL_SECONDS, limit: 100, allowed_updates: ALLOWED_UPDATES };
  return call(
    channel.settings,
    (api) => api.getUpdates(offset === undefined ? parameters : { ...parameters, offset }),
    { signal: context.signal, timeoutMs: POLL_TIMEOUT_MS },
  );
}

async function waitFor(error: unknown, polled: Polled, options: PollOptions): Promise<undefined> {
  if (!(error instanceof TelegramRefusal) || (error.code !== 409 && error.code !== 429)) throw error;
  if (error.code === 409) noteConflict(error.description, polled, options);
  const ms = error.code === 409 ? options.conflictWaitMs : waitMs(error);
  await sleep(ms, undefined, { signal: polled.context.signal });
}

function noteConflict(why: string, { channel, context }: Polled, { conflicts }: PollOptions): void {
  if (!conflicts.has(channel.id)) context.log('another program reads the updates of this bot', { why });
  conflicts.set(channel.id, why);
}

/** In order within a chat, as a webhook would get them; chats do not wait for each other. */
async function receiveAll(
  updates: Updates,
  settings: TelegramSettings,
  context: ListenContext,
): Promise<void> {
  const queues = Map.groupBy(
    updates.map((update) => ({ update, inbound: read(update, settings, context) })),
    ({ inbound }) => inbound[0]?.threadKey.split(':')[0],
  );
  const settled = await Promise.allSettled(
    [...queues.values()].map(async (queue) => {
      for (const { update, inbound } of queue) await context.receive(rawOf(update), inbound);
    }),
  );
  const failed = settled.find((result) => result.status === 'rejected');
  if (failed) throw failed.reason;
}

/** An update that cannot be read is kept raw and passed by: it would come again for ever. */
function read(update: Updates[number], settings: TelegramSettings, { log }: ListenContext): Inbound[] {
  try {
    return parseUpdate(update, settings);
  } catch {
    log('could not read an update', { update_id: update.update_id });
    return [];
  }
}

function rawOf(update: unknown) {
  return { body: Buffer.from(JSON.stringify(update)), contentType: 'application/json' };
}
