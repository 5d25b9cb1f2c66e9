import type { Channels, LoadedChannel } from '../channels.ts';
import { findConversation } from '../conversations.ts';
import { refuseOptedOut } from '../customers/consent.ts';
import type { Sql } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import { AppError } from '../errors.ts';
import { findMessage } from '../messages.ts';
import type { MessageRow } from '../views/message.ts';
import { apply } from './parked.ts';
import { refuseAsProvider } from './provider-refusal.ts';
import { refuseOutsideWindow } from './reply-window.ts';

interface ReactDeps {
  pool: Sql;
  transact: Transact;
  channels: Pick<Channels, 'load' | 'markBroken'>;
}

interface Wish {
  businessId: string;
  id: string;
  /** Without one it is taken back. */
  emoji: string | undefined;
}

/** Whose reaction ours is: the provider knows only one of the whole business. */
const BUSINESS = 'business';

/** Shows the customer our one reaction to a message, and keeps it. Setting the same again changes nothing there. */
export async function setReaction(deps: ReactDeps, { businessId, id, emoji }: Wish): Promise<MessageRow> {
  const { pool, transact } = deps;
  const message = await findMessage(pool, businessId, id);
  const loaded = await deps.channels.load(message.channel_id);
  if (loaded === undefined || !loaded.row.is_active)
    throw new AppError('conflict', 'The channel is gone or off.');
  await show(deps, loaded, { message, emoji });
  const emojis = emoji === undefined ? [] : [emoji];
  await transact((tx) => apply(tx, id, { kind: 'reaction', sender: BUSINESS, address: BUSINESS, emojis }));
  return findMessage(pool, businessId, id);
}

interface Showing {
  message: MessageRow;
  emoji: string | undefined;
}

/** The provider first: what it refuses is nothing that the customer sees. */
async function show(deps: ReactDeps, loaded: LoadedChannel, { message, emoji }: Showing): Promise<void> {
  const { business_id, conversation_id, channel_id, external_id } = message;
  const { adapter, channel } = loaded;
  if (adapter.react === undefined) throw new AppError('conflict', 'This channel has no reactions of ours.');
  if (message.direction === 'internal')
    throw new AppError('conflict', 'The customer does not see this message.');
  const conversation = await findConversation(deps.pool, business_id, conversation_id);
  const { thread_key } = conversation;
  if (thread_key === null || external_id === null || conversation.channel_id !== channel_id)
    throw new AppError('conflict', 'The provider does not know this message.');
  refuseOutsideWindow(conversation, new Date());
  await refuseOptedOut(deps.pool, channel_id, thread_key);
  const target = { threadKey: thread_key, externalId: external_id, emoji };
  await adapter
    .react(target, channel)
    .catch((error: unknown) => refuseAsProvider(deps.channels, loaded, error));
}
