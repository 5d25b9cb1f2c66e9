import type { Download } from '../adapter.ts';
import type { Attachments } from '../attachments.ts';
import type { LoadedChannel } from '../channels.ts';
import type { Pool } from '../database/connect.ts';
import type { EgressGuard } from '../egress.ts';
import type { AttachmentRef } from '../envelope.ts';
import { keptRequest } from '../inbound-requests.ts';
import type { MessageRow } from '../views/message.ts';
import { download } from './download.ts';

interface Opening {
  direction: MessageRow['direction'];
  channel: LoadedChannel;
  signal: AbortSignal;
  pool: Pool;
  egress: EgressGuard;
  attachments: Pick<Attachments, 'files'>;
}

/** Opens an attachment where its bytes are: with us, in the request that brought the message, at the provider, or at a public address. */
export async function openSource(source: AttachmentRef, opening: Opening): Promise<Download> {
  const { adapter, channel } = opening.channel;
  const { copyOf, stored, url } = source.ref;
  if (typeof copyOf === 'string') return openOriginal(copyOf, opening);
  if (typeof stored === 'string') return { body: await opening.attachments.files.stream(stored) };
  if (source.request !== undefined && adapter.readAttachment !== undefined)
    return adapter.readAttachment(source, await keptRequest(opening.pool, source.request), channel);
  if (isTheirs(source, opening.direction) && adapter.fetchAttachment !== undefined)
    return adapter.fetchAttachment(source, channel, opening.signal);
  return download(String(url), opening);
}

/** Whether it lies with the provider: a customer's, or what the business sent elsewhere. What an agent attached has a place of its own. */
export function isTheirs({ ref }: AttachmentRef, direction: MessageRow['direction']): boolean {
  return (
    direction === 'inbound' || [ref['url'], ref['copyOf'], ref['stored']].every((it) => it === undefined)
  );
}

/** An attachment of an earlier message, sent once more. */
async function openOriginal(id: string, { pool, attachments }: Opening): Promise<Download> {
  const [row] = await pool<{ storage_key: string; name: string; content_type: string; size_bytes: number }[]>`
    select storage_key, name, content_type, size_bytes from attachments where id = ${id} and state = 'ready'`;
  if (row === undefined) throw new Error('the original is gone');
  const { storage_key, name, content_type: contentType, size_bytes: sizeBytes } = row;
  return { body: await attachments.files.stream(storage_key), name, contentType, sizeBytes };
}
