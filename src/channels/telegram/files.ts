import { request } from 'undici';
import { z } from 'zod';
import type { Channel, Download } from '../../core/adapter.ts';
import type { EgressGuard } from '../../core/egress.ts';
import type { AttachmentRef } from '../../core/envelope.ts';
import { AppError } from '../../core/errors.ts';
import { capped } from '../shared/capped.ts';
import { type Call, withoutToken } from './client.ts';
import { sendError, TelegramRefusal } from './errors.ts';
import { fetchableBytes } from './limits.ts';
import type { TelegramSettings } from './settings.ts';

interface FetchOptions {
  call: Call;
  egress: EgressGuard;
  channel: Channel<TelegramSettings>;
  signal: AbortSignal;
}

const fileRef = z.object({ file_id: z.string() });

/**
 * Opens a customer's file for reading. Throws AppError `payload_too_large` or `not_found` when it can never be had;
 * anything else may pass.
 */
export async function fetchAttachment(
  { ref, name, contentType }: AttachmentRef,
  options: FetchOptions,
): Promise<Download> {
  const { file_id } = fileRef.parse(ref);
  const path = await pathOf(file_id, options);
  const { settings } = options.channel;
  // The URL holds the token: it goes into the request and nowhere else.
  const url = `${settings.api_root}/file/bot${settings.bot_token}/${path.split('/').map(encodeURIComponent).join('/')}`;
  const response = await open(url, options);
  const sizeBytes = Number(response.headers['content-length'] ?? Number.NaN);
  return {
    body: capped(response.body, fetchableBytes(settings), () => tooLarge()),
    ...(name === undefined ? {} : { name }),
    ...(contentType === undefined ? {} : { contentType }),
    ...(Number.isSafeInteger(sizeBytes) ? { sizeBytes } : {}),
  };
}

async function pathOf(fileId: string, { call, channel, signal }: FetchOptions): Promise<string> {
  const file = await call(channel.settings, (api) => api.getFile({ file_id: fileId }), { signal }).catch(
    (error: unknown) => {
      throw error instanceof TelegramRefusal ? refused(error) : error;
    },
  );
  if (file.file_path === undefined) throw gone();
  return file.file_path.replace(/^\/+/, '');
}

function refused(refusal: TelegramRefusal): Error {
  if (/too big/i.test(refusal.description)) return tooLarge(refusal);
  if (refusal.code === 400) return gone(refusal);
  return refusal.code === 429 ? sendError(refusal) : refusal;
}

async function open(url: string, { egress, channel, signal }: FetchOptions) {
  const { bot_token } = channel.settings;
  const response = await request(url, { dispatcher: egress.dispatcher, signal }).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : 'the request failed';
    throw new Error(`Telegram's file could not be read: ${withoutToken(reason, bot_token)}`);
  });
  if (response.statusCode === 200) return response;
  await response.body.dump();
  if (response.statusCode === 404) throw gone();
  throw new Error(`Telegram's file could not be read: HTTP ${response.statusCode}`);
}

function tooLarge(cause?: unknown): AppError {
  return new AppError('payload_too_large', 'Telegram gives out no file of this size.', { cause });
}

function gone(cause?: unknown): AppError {
  return new AppError('not_found', 'Telegram does not have this file any more.', { cause });
}
