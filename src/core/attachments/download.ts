import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { parse as parseDisposition } from 'content-disposition';
import { request } from 'undici';
import type { Download } from '../adapter.ts';
import type { EgressGuard } from '../egress.ts';
import { RateLimited } from '../errors.ts';

const MAX_REDIRECTS = 5;
const HEADERS_TIMEOUT_MS = 15_000;
const STALLED_MS = 30_000;

interface DownloadOptions {
  egress: EgressGuard;
  signal: AbortSignal;
}

/** Opens a public address through the egress guard; each redirect is vetted anew. */
export async function download(address: string, { egress, signal }: DownloadOptions): Promise<Download> {
  let url = egress.vetUrl(address, 'url');
  for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
    const response = await request(url, {
      dispatcher: egress.dispatcher,
      signal,
      headers: { 'accept-encoding': 'identity' },
      headersTimeout: HEADERS_TIMEOUT_MS,
      bodyTimeout: STALLED_MS,
    });
    if (response.statusCode === 200) return asDownload(response, url);
    await response.body.dump();
    const location = textOf(response.headers['location']);
    refuseRateLimited(response);
    if (!isRedirect(response.statusCode) || location === undefined) {
      throw new Error(`the server answered ${response.statusCode}`);
    }
    url = egress.vetUrl(new URL(location, url).href, 'url');
  }
  throw new Error(`more than ${MAX_REDIRECTS} redirects`);
}

const BUSY = new Set([429, 503]);

/** Whoever says when to come back is asked again then. */
function refuseRateLimited({ statusCode, headers }: Awaited<ReturnType<typeof request>>): void {
  const seconds = Number(textOf(headers['retry-after']) ?? Number.NaN);
  if (BUSY.has(statusCode) && seconds > 0)
    throw new RateLimited(`the server answered ${statusCode}`, seconds * 1_000);
}

function asDownload({ headers, body }: Awaited<ReturnType<typeof request>>, url: URL): Download {
  const contentType = textOf(headers['content-type']);
  const length = Number(textOf(headers['content-length']) ?? Number.NaN);
  const name =
    parseDisposition(textOf(headers['content-disposition']) ?? '').parameters['filename'] ??
    lastSegment(url.pathname);
  const decode = DECODERS[textOf(headers['content-encoding'])?.toLowerCase() ?? ''];
  return {
    body: decode === undefined ? body : decoded(body, decode()),
    ...(contentType === undefined ? {} : { contentType }),
    ...(name === undefined ? {} : { name }),
    ...(decode === undefined && Number.isSafeInteger(length) ? { sizeBytes: length } : {}),
  };
}

/** The last part of an address's path; undefined where that names no file. */
export function lastSegment(pathname: string): string | undefined {
  const segment = decodedText(pathname.split('/').at(-1) ?? '');
  return segment === '' ? undefined : segment;
}

function decodedText(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// For servers that compress whoever asks them not to. Whoever reads counts what comes out, so a bomb ends at its limit.
const DECODERS: Record<string, () => NodeJS.ReadWriteStream & Readable> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

function decoded(body: Readable, decoder: NodeJS.ReadWriteStream & Readable): Readable {
  body.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => body.destroy());
  return body.pipe(decoder);
}

function isRedirect(statusCode: number): boolean {
  return [301, 302, 303, 307, 308].includes(statusCode);
}

function textOf(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header;
}
