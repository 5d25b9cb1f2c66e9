import { setTimeout as sleep } from 'node:timers/promises';
import { parse as parseDisposition } from 'content-disposition';
import { request } from 'undici';
import { z } from 'zod';
import type { Channel, Download } from '../../../core/adapter.ts';
import type { EgressGuard } from '../../../core/egress.ts';
import type { AttachmentRef } from '../../../core/envelope.ts';
import { AppError } from '../../../core/errors.ts';
import { capped } from '../capped.ts';
import type { Params } from './body.ts';
import type { TwilioSettings } from './settings.ts';

const MOST_FILES = 10;

/** The files of a customer's message, where Twilio keeps them. */
export function readMedia(params: Params): AttachmentRef[] {
  const count = Math.min(Number(params.get('NumMedia') ?? 0) || 0, MOST_FILES);
  return Array.from({ length: count }).flatMap((_, n) => {
    const url = params.get(`MediaUrl${n}`);
    const contentType = params.get(`MediaContentType${n}`);
    if (url === undefined) return [];
    return [{ ref: { url }, ...(contentType === undefined ? {} : { contentType }) }];
  });
}

interface FetchOptions {
  egress: EgressGuard;
  channel: Channel<TwilioSettings>;
  signal: AbortSignal;
  mostBytes: number;
}

const mediaRef = z.object({ url: z.string() });
const MOST_REDIRECTS = 5;

/** Opens a customer's file. The credentials go to Twilio's own hosts, and across no redirect to another host. */
export async function fetchMedia(
  { ref, contentType }: AttachmentRef,
  options: FetchOptions,
): Promise<Download> {
  const { egress, channel, mostBytes } = options;
  let url = egress.vetUrl(mediaRef.parse(ref).url, 'url');
  let credentials = mayHaveCredentials(url, channel.settings) ? basic(channel.settings) : undefined;
  for (let redirects = 0; redirects <= MOST_REDIRECTS; redirects += 1) {
    const response = await open(url, credentials, options);
    if (response.statusCode === 200) return asDownload(response, { contentType, mostBytes });
    await response.body.dump();
    const next = redirectOf(response, url);
    const target = egress.vetUrl(next.href, 'url');
    if (target.host !== url.host || target.protocol !== url.protocol) credentials = undefined;
    url = target;
  }
  throw new Error('Twilio’s file is behind too many redirects.');
}

/** Only over https to Twilio, or to wherever the business said that its Twilio is. */
function mayHaveCredentials(url: URL, { api_root }: TwilioSettings): boolean {
  const isTwilio = url.protocol === 'https:' && /(^|\.)twilio\.com$/.test(url.hostname);
  return isTwilio || url.origin === new URL(api_root).origin;
}

/** Files want the account's own token, whatever key the messages are sent with. */
function basic({ account_sid, auth_token }: TwilioSettings): string {
  return `Basic ${Buffer.from(`${account_sid}:${auth_token}`).toString('base64')}`;
}

// The file may show up a moment later than the message that has it.
const NOT_YET_MS = [500, 1_500];

async function open(url: URL, credentials: string | undefined, { egress, channel, signal }: FetchOptions) {
  for (const waitMs of [...NOT_YET_MS, undefined]) {
    const response = await request(url, {
      dispatcher: egress.dispatcher,
      signal,
      headers: credentials === undefined ? {} : { authorization: credentials },
    }).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : 'the request failed';
      throw new Error(`Twilio’s file could not be read: ${reason}`);
    });
    if (response.statusCode !== 404 || waitMs === undefined) return response;
    await response.body.dump();
    await sleep(waitMs, undefined, { signal });
  }
  throw new Error(`Twilio’s file of ${channel.id} is not there.`);
}

type Response = Awaited<ReturnType<typeof request>>;

function redirectOf({ statusCode, headers }: Response, from: URL): URL {
  const location = textOf(headers['location']);
  if (![301, 302, 303, 307, 308].includes(statusCode) || location === undefined)
    throw new Error(`Twilio’s file could not be read: HTTP ${statusCode}`);
  return new URL(location, from);
}

interface Reading {
  contentType: string | undefined;
  mostBytes: number;
}

function asDownload({ headers, body }: Response, { contentType, mostBytes }: Reading): Download {
  const type = contentType ?? textOf(headers['content-type']);
  const name = parseDisposition(textOf(headers['content-disposition']) ?? '').parameters['filename'];
  const sizeBytes = Number(textOf(headers['content-length']) ?? Number.NaN);
  return {
    body: capped(body, mostBytes, tooLarge),
    ...(type === undefined ? {} : { contentType: type }),
    ...(name === undefined ? {} : { name }),
    ...(Number.isSafeInteger(sizeBytes) ? { sizeBytes } : {}),
  };
}

function tooLarge(): AppError {
  return new AppError('payload_too_large', 'The file is larger than Twilio takes.');
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
