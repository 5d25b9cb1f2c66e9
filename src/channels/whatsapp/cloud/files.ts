import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Channel, Download } from '../../../core/adapter.ts';
import type { EgressGuard } from '../../../core/egress.ts';
import type { AttachmentRef } from '../../../core/envelope.ts';
import { AppError, RateLimited } from '../../../core/errors.ts';
import { GraphRefusal, sendError } from './errors.ts';
import type { Graph } from './graph.ts';
import { LIMITS } from './limits.ts';
import type { CloudSettings } from './settings.ts';

interface FetchOptions {
  graph: Graph;
  egress: EgressGuard;
  channel: Channel<CloudSettings>;
  signal: AbortSignal;
}

const fileRef = z.object({ media_id: z.string(), sha256: z.string().optional() });
const location = z.object({
  url: z.url({ protocol: /^https?$/ }),
  mime_type: z.string().optional().catch(undefined),
  sha256: z.string().optional().catch(undefined),
  file_size: z.coerce.number().int().nonnegative().optional().catch(undefined),
});

/** Opens a customer's file: Meta says where it is for the next five minutes, and we go there at once. */
export async function fetchAttachment(
  { ref, name, contentType }: AttachmentRef,
  options: FetchOptions,
): Promise<Download> {
  const { media_id, sha256 } = fileRef.parse(ref);
  const file = await locate(media_id, options);
  if ((file.file_size ?? 0) > LIMITS.inboundBytes) throw tooLarge();
  const type = contentType ?? file.mime_type;
  return {
    body: checked(await open(file.url, options), sha256 ?? file.sha256),
    ...(name === undefined ? {} : { name }),
    ...(type === undefined ? {} : { contentType: type }),
    ...(file.file_size === undefined ? {} : { sizeBytes: file.file_size }),
  };
}

async function locate(mediaId: string, { graph, channel, signal }: FetchOptions) {
  const { settings } = channel;
  try {
    const query = { phone_number_id: settings.phone_number_id };
    return location.parse(await graph(settings, { path: encodeURIComponent(mediaId), query, signal }));
  } catch (error) {
    const isGone = error instanceof GraphRefusal && (error.status === 404 || error.code === 100);
    if (isGone) throw new AppError('not_found', 'Meta does not have this file any more.', { cause: error });
    const meant = sendError(error);
    throw meant instanceof RateLimited ? meant : error;
  }
}

async function open(
  url: string,
  { egress, channel, signal }: FetchOptions,
): Promise<AsyncIterable<Uint8Array>> {
  const { origin, pathname, search } = egress.vetUrl(url, 'url');
  const isTrusted = mayHoldToken(new URL(url), channel.settings);
  const { statusCode, body } = await egress.dispatcher.request({
    origin,
    path: pathname + search,
    method: 'GET',
    headers: {
      // Meta's file servers answer nobody who does not say what asks.
      'user-agent': 'Tributary',
      ...(isTrusted ? { authorization: `Bearer ${channel.settings.access_token}` } : {}),
    },
    signal,
  });
  if (statusCode === 200) return body;
  await body.dump();
  throw new Error(`Meta's file could not be read: HTTP ${statusCode}`);
}

const META_HOSTS = /(^|\.)(fbsbx\.com|facebook\.com|whatsapp\.net|whatsapp\.com)$/;

/** The token goes to Meta and to the server that stands in for it, whatever address an answer names. */
function mayHoldToken({ origin, protocol, hostname }: URL, { api_root }: CloudSettings): boolean {
  return origin === new URL(api_root).origin || (protocol === 'https:' && META_HOSTS.test(hostname));
}

/** Ends in an error when the bytes are not those that the customer sent. */
async function* checked(
  body: AsyncIterable<Uint8Array>,
  sha256: string | undefined,
): AsyncGenerator<Uint8Array> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    if (bytes > LIMITS.inboundBytes) throw tooLarge();
    hash.update(chunk);
    yield chunk;
  }
  const digest = hash.digest();
  // Webhooks write it in base64, the Graph API in hexadecimal.
  const expected = Buffer.from(sha256 ?? '', sha256?.length === 64 ? 'hex' : 'base64');
  const isChecksum = expected.byteLength === digest.byteLength;
  if (isChecksum && !digest.equals(expected)) throw new Error('the file is not the one that was sent');
}

function tooLarge(): AppError {
  return new AppError('payload_too_large', 'WhatsApp gives out no file of this size.');
}
