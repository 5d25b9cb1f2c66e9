import type { Sql } from '../database/connect.ts';
import { recordUpdate } from '../messages.ts';
import type { MessageRow } from '../views/message.ts';

/** What came for a message of ours before the provider's answer had named it. */
export type Parked =
  | { kind: 'reaction'; sender: string; address: string; emojis: string[] }
  | { kind: 'reply'; messageId: string };

export interface ProviderId {
  channelId: string;
  externalId: string;
}

// More than that nobody does in the moment that a send takes; to a message that never was ours anybody may do anything.
const MOST = 50;

/** Keeps it beside the provider's id until the send names its message; where that has just happened, applies it. */
export async function park(tx: Sql, { channelId, externalId }: ProviderId, what: Parked): Promise<void> {
  const [row] = await tx<{ message_id: string | null }[]>`
    insert into provider_ids as p (channel_id, external_id, parked)
    values (${channelId}, ${externalId}, ${tx.json([what])})
    on conflict (channel_id, external_id) do update set parked = case
      when p.message_id is null and jsonb_array_length(coalesce(p.parked, '[]')) < ${MOST}
        then coalesce(p.parked, '[]') || excluded.parked
      else p.parked end
    returning message_id`;
  if (row?.message_id) await apply(tx, row.message_id, what);
}

/** Applies what has waited for this message under one of its ids. */
export async function unpark(
  tx: Sql,
  messageId: string,
  { channelId, externalId }: ProviderId,
): Promise<void> {
  const [row] = await tx<{ parked: Parked[] }[]>`
    select parked from provider_ids
    where channel_id = ${channelId} and external_id = ${externalId} and parked is not null`;
  if (row === undefined) return;
  await tx`update provider_ids set parked = null where channel_id = ${channelId} and external_id = ${externalId}`;
  for (const what of row.parked) await apply(tx, messageId, what);
}

/** Lets a message have the reaction or the reply. */
export async function apply(tx: Sql, messageId: string, what: Parked): Promise<void> {
  const rows =
    what.kind === 'reply' ? setReply(tx, messageId, what.messageId) : setReactions(tx, messageId, what);
  for (const message of await rows) await recordUpdate(tx, message);
}

function setReply(tx: Sql, messageId: string, replyId: string) {
  return tx<MessageRow[]>`
    update messages set reply_to_id = ${messageId} where id = ${replyId} and reply_to_id is null returning *`;
}

/** The newest set of each person counts. */
function setReactions(
  tx: Sql,
  messageId: string,
  { sender, address, emojis }: Parked & { kind: 'reaction' },
) {
  const own = emojis.map((emoji) => ({ emoji, sender }));
  return tx<MessageRow[]>`
    update messages set reactions = ${tx.json(own)} || coalesce(
      (select jsonb_agg(r) from jsonb_array_elements(reactions) r where r ->> 'sender' not in (${sender}, ${address})), '[]')
    where id = ${messageId} returning *`;
}
