import { findTemplate } from '../channels/templates.ts';
import type { LoadedChannel } from '../channels.ts';
import type { Sql } from '../database/connect.ts';
import { fillTemplate } from '../template.ts';
import type { AttachmentRow } from '../views/message.ts';
import type { Author } from './author.ts';
import { counted } from './count-message.ts';
import type { Draft, WritingTools } from './draft.ts';
import { type NewMessageRow, newMessage, type ReadyDraft } from './new-message.ts';
import { refuseDraft } from './refuse-draft.ts';
import type { Standing } from './standing.ts';

/** Something to write. */
export interface Entry {
  conversationId: string;
  draft: Draft;
  by: Author;
}

/** What a message will be once it is written. */
export interface Plan {
  entry: Entry;
  message: NewMessageRow;
  before: Standing;
  after: Standing;
  /** Where nothing leaves over a provider, a stored message is a sent one. */
  isSent: boolean;
  /** Whose limits it has; nobody's are those of a note. */
  loaded: LoadedChannel | undefined;
  files: AttachmentRow[];
  /** Lanes that fetch its files. */
  fetches: string[];
}

/** Plans a message in the conversation as it stands. Throws why it may not be written. */
export async function planMessage(
  tx: Sql,
  before: Standing,
  { entry, tools }: { entry: Entry; tools: WritingTools },
): Promise<Plan> {
  const { draft, by } = entry;
  await refuseDraft(tx, before, { draft, tools });
  const ready = await withTemplate(tx, before, draft);
  const loaded = draft.note === true ? undefined : await tools.channels.load(before.channel_id, tx);
  const message = newMessage(before, { draft: ready, by });
  const isSent = isSentAtOnce(before, { message, draft, loaded });
  const after = counted(before, { message, by });
  const holdsUp = message.status === 'queued' && !isSent && before.blocker === null;
  const plan = { entry, message, before, isSent, loaded, files: [], fetches: [] };
  return { ...plan, after: holdsUp ? { ...after, blocker: message } : after };
}

async function withTemplate(tx: Sql, { channel_id }: Standing, draft: Draft): Promise<ReadyDraft> {
  if (draft.template === undefined) return draft;
  const template = await findTemplate(tx, channel_id, draft.template);
  const { filled, text } = fillTemplate(template, {
    input: draft.template,
    files: draft.attachments?.length ?? 0,
  });
  return { ...draft, content: text, filled };
}

interface Going {
  message: NewMessageRow;
  draft: Draft;
  loaded: LoadedChannel | undefined;
}

/** Over our own sockets, with nothing before it and no file to wait for. All else is the lane's to decide. */
function isSentAtOnce({ blocker }: Standing, { message, draft, loaded }: Going): boolean {
  const goesByItself = loaded?.adapter.send === undefined && message.status === 'queued';
  const waits = blocker !== null || (draft.attachments ?? []).length > 0;
  return goesByItself && !waits && loaded?.row.is_active === true && loaded.row.broken_at === null;
}
