import { safeFileName } from '../core/attachments/file-name.ts';
import { FileGone } from '../core/attachments/storage/gone.ts';
import type { Attachments } from '../core/attachments.ts';
import type { Person } from '../core/customers/erasure/person.ts';
import { exportConversations } from '../core/customers/export-customer.ts';
import type { Pool } from '../core/database/connect.ts';
import type { AttachmentView, MessageView } from '../core/views/message.ts';

interface ArchiveOptions {
  pool: Pool;
  person: Person;
  /** What stands before the conversations. */
  head: Record<string, unknown>;
  internal: boolean;
  /** Says where an attachment can be had. */
  place(attachment: AttachmentView): AttachmentView;
}

/** All that is kept of a person as the text of one JSON object, piece by piece: a long history never is in memory as a whole. */
export async function* archiveText(options: ArchiveOptions): AsyncGenerator<string> {
  const { pool, person, head, internal } = options;
  yield `${JSON.stringify(head).slice(0, -1)},"conversations":[`;
  let between = '';
  for await (const { conversation, pages } of exportConversations(pool, person, { internal })) {
    yield `${between}${JSON.stringify(conversation).slice(0, -1)},"messages":[`;
    yield* messageTexts(pages, options);
    yield ']}';
    between = ',';
  }
  yield ']}';
}

async function* messageTexts(
  pages: AsyncIterable<MessageView[]>,
  { place }: ArchiveOptions,
): AsyncGenerator<string> {
  let between = '';
  for await (const messages of pages) {
    const placed = messages.map((one) => ({ ...one, attachments: one.attachments.map(place) }));
    yield between + placed.map((one) => JSON.stringify(one)).join(',');
    between = ',';
  }
}

/** A file of a zip archive. */
interface Entry {
  name: string;
  input: AsyncIterable<Uint8Array>;
}

interface ZipOptions extends Omit<ArchiveOptions, 'place'> {
  files: Attachments['files'];
}

/** The same as the files of one archive: `customer.json`, and every attachment beside it. */
export async function* archiveEntries({ files, ...options }: ZipOptions): AsyncGenerator<Entry> {
  const attached: AttachmentView[] = [];
  function place(attachment: AttachmentView): AttachmentView {
    if (attachment.state !== 'ready') return attachment;
    attached.push(attachment);
    return { ...attachment, url: pathOf(attachment) };
  }
  // A zip is written from its beginning to its end: by the time this entry has been read all attachments are known.
  yield { name: 'customer.json', input: encoded(archiveText({ ...options, place })) };
  for (const attachment of attached) {
    const input = await bytesOf(attachment, { files, pool: options.pool });
    if (input !== undefined) yield { name: pathOf(attachment), input };
  }
}

function pathOf({ id, name }: AttachmentView): string {
  return `files/${id}/${safeFileName(name)}`;
}

/** Undefined where the file is gone: the rest of the archive is as good. */
async function bytesOf(
  { id }: AttachmentView,
  { pool, files }: Pick<ZipOptions, 'pool' | 'files'>,
): Promise<AsyncIterable<Uint8Array> | undefined> {
  const [row] = await pool<{ storage_key: string }[]>`
    select storage_key from attachments where id = ${id} and state = 'ready' and storage_key is not null`;
  return row && files.stream(row.storage_key).catch(undefinedWhenGone);
}

function undefinedWhenGone(error: unknown): undefined {
  if (!(error instanceof FileGone)) throw error;
}

async function* encoded(texts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  const encoder = new TextEncoder();
  for await (const text of texts) yield encoder.encode(text);
}
