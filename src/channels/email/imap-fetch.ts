import type { ImapFlow } from 'imapflow';
import type { EmailSettings } from './settings.ts';

export interface MailInBox {
  raw: Uint8Array;
  arrivedAt: number;
}

interface Fetching extends Pick<EmailSettings, 'max_message_bytes'> {
  /** Nothing that arrived before. */
  since?: number;
}

/** One mail of the opened mailbox, as it is on the wire; undefined when it is gone or too old. */
export async function fetchMail(
  client: ImapFlow,
  uid: number,
  fetching: Fetching,
): Promise<MailInBox | undefined> {
  const facts = await client.fetchOne(String(uid), { size: true, internalDate: true }, { uid: true });
  if (!facts) return undefined;
  const arrivedAt = new Date(facts.internalDate ?? Date.now()).getTime();
  if (fetching.since !== undefined && arrivedAt < fetching.since) return undefined;
  const isTooLarge = (facts.size ?? 0) > fetching.max_message_bytes;
  const raw = isTooLarge ? await headersOnly(client, uid, facts.size ?? 0) : await whole(client, uid);
  return raw && { raw, arrivedAt };
}

async function whole(client: ImapFlow, uid: number): Promise<Uint8Array | undefined> {
  const fetched = await client.fetchOne(String(uid), { source: true }, { uid: true });
  return fetched ? fetched.source : undefined;
}

/** Of a mail over the limit people learn that it is there, and where to read it. */
async function headersOnly(client: ImapFlow, uid: number, size: number): Promise<Uint8Array | undefined> {
  const fetched = await client.fetchOne(String(uid), { headers: true }, { uid: true });
  if (!fetched || fetched.headers === undefined) return undefined;
  const lines = fetched.headers.toString('latin1').split(/\r?\n(?![ \t])/);
  const kept = lines.filter((line) => line !== '' && !/^(content-[\w-]+|mime-version):/i.test(line));
  const note = `This mail is too large to be shown here (${Math.ceil(size / 1024 / 1024)} MB). It is in the mailbox.`;
  return Buffer.from(`${kept.join('\r\n')}\r\n\r\n${note}\r\n`, 'latin1');
}
