import { removeAttachments } from '../attachments/removed-files.ts';
import { breakChannel } from '../channels/break-channel.ts';
import { noteConsent } from '../customers/consent.ts';
import type { Sql } from '../database/connect.ts';
import type { ConsentChange, Inbound, MessageDelete, MessageEdit, Reaction, Receipt } from '../envelope.ts';
import { apply, park } from '../messages/parked.ts';
import { applyReceipt } from '../messages/receipts.ts';
import { recordUpdate } from '../messages.ts';
import type { MessageRow } from '../views/message.ts';
import { fetches } from './happened.ts';
import { changeIdentity } from './identity-changes.ts';
import { type Item, keyOf } from './item.ts';
import { newAttachment } from './rows.ts';
import type { State } from './state.ts';
import type { AlbumAddition, PlanContext } from './work.ts';
import { insertAttachments } from './write.ts';

/** Applies what is not a new message: receipts, edits, deletions, reactions, new addresses. True when it was news. */
export async function applyChange(tx: Sql, item: Item, state: State): Promise<boolean> {
  const isNews = state.fresh.delete(keyOf(item.channel.id, item.inbound.externalEventId));
  const { inbound } = item;
  if (!isNews && !maySayItAgain(inbound)) return false;
  switch (inbound.kind) {
    case 'message':
      return false;
    case 'receipt': {
      const changed = await applyReceipt(tx, receiptOf(item, inbound));
      if (isNews && refusesAccount(inbound)) await breakChannel(tx, item.channel.id, inbound.error.message);
      return isNews || changed;
    }
    case 'edit':
      await editMessage(tx, item, inbound);
      return true;
    case 'delete':
      await deleteMessage(tx, item, inbound);
      return true;
    case 'reaction':
      await react(tx, { item, reaction: inbound, state });
      return true;
    case 'identity_change':
      await changeIdentity(tx, item, inbound);
      return true;
    case 'consent':
      await noteConsent(tx, statementOf(item, inbound));
      return true;
  }
}

function statementOf({ channel }: Item, change: ConsentChange) {
  return {
    businessId: channel.businessId,
    channelId: channel.id,
    address: change.threadKey,
    consent: change.consent,
    source: change.keyword === undefined ? ('provider' as const) : ('customer' as const),
    keyword: change.keyword,
    saidAt: change.occurredAt ?? new Date(),
    onlyAfterStop: change.onlyAfterStop,
  };
}

/** What was sent anew may fail anew, and where nothing is said of when, that looks the same. */
function maySayItAgain(inbound: Inbound): boolean {
  return inbound.kind === 'receipt' && inbound.status === 'failed' && inbound.occurredAt === undefined;
}

// A provider that could not reach us tells later what was long mended.
const FRESH_MS = 3_600_000;

function refusesAccount(receipt: Receipt): receipt is Receipt & { error: { message: string } } {
  const age = Date.now() - (receipt.occurredAt?.getTime() ?? Date.now());
  return receipt.error?.channelBroken === true && age < FRESH_MS;
}

function receiptOf({ channel }: Item, receipt: Receipt) {
  return {
    channelId: channel.id,
    externalId: receipt.externalId,
    status: receipt.status,
    error:
      receipt.status === 'failed'
        ? {
            code: receipt.error?.code ?? 'rejected',
            provider_code: receipt.error?.providerCode ?? null,
            message: receipt.error?.message ?? 'the provider could not deliver it',
            retryable: receipt.error?.retryable ?? true,
          }
        : null,
    message: receipt.message,
    at: receipt.occurredAt ?? new Date(),
  };
}

/** An edit that changes nothing is none. A further item of an album has no say in its text unless it brings one. */
async function editMessage(tx: Sql, { channel }: Item, edit: MessageEdit): Promise<void> {
  const { externalId, content } = edit;
  const html = edit.html ?? null;
  const rows = await tx<MessageRow[]>`
    update messages set content = ${content}, html = ${html}, edited_at = now()
    where id in (
        select id from messages where channel_id = ${channel.id} and external_id = ${externalId}
        union select message_id from provider_ids
        where channel_id = ${channel.id} and external_id = ${externalId} and ${content !== ''})
      and direction = 'inbound' and deleted_at is null
      and (content, html) is distinct from (${content}::text, ${html}::text)
    returning *`;
  for (const message of rows) await recordUpdate(tx, message);
}

/** The customer took it back: the text goes, the row stays for the order of the others. */
async function deleteMessage(tx: Sql, { channel }: Item, deletion: MessageDelete): Promise<void> {
  const rows = await tx<MessageRow[]>`
    update messages set content = '', html = null, text_full = null, card = null, deleted_at = now()
    where channel_id = ${channel.id} and external_id = ${deletion.externalId} and direction = 'inbound'
      and deleted_at is null
    returning *`;
  await removeAttachments(
    tx,
    rows.map(({ id }) => id),
  );
  for (const message of rows) await recordUpdate(tx, message, { type: 'message.deleted' });
}

interface Reacting {
  item: Item;
  reaction: Reaction;
  state: State;
}

async function react(tx: Sql, { item, reaction, state }: Reacting): Promise<void> {
  const { emojis, externalId } = reaction;
  const { address } = reaction.sender;
  const party = state.parties.get(keyOf(item.channel.id, address));
  if (party === undefined) return;
  // In a group anybody may react: who never wrote is known by the address only.
  const sender = party.isNew ? address : party.customer.id;
  const what = { kind: 'reaction', sender, address, emojis } as const;
  const messageId =
    state.replies.get(keyOf(item.channel.id, externalId)) ?? (await storedNow(tx, item, externalId));
  if (messageId === undefined) await park(tx, { channelId: item.channel.id, externalId }, what);
  else await apply(tx, messageId, what);
}

/** A message of this very batch was not there yet when the batch was looked up. */
async function storedNow(tx: Sql, { channel }: Item, externalId: string): Promise<string | undefined> {
  const [row] = await tx<{ id: string }[]>`
    select id from messages where channel_id = ${channel.id} and external_id = ${externalId}`;
  return row?.id;
}

/** A late item of an album: its attachments join the message that the first one began. */
export async function addToStoredAlbum(
  tx: Sql,
  addition: AlbumAddition,
  context: PlanContext,
): Promise<void> {
  const [message] = await tx<(MessageRow & { attachment_count: number })[]>`
    select m.*, (select count(*)::int from attachments a where a.message_id = m.id) as attachment_count
    from messages m where m.id = ${addition.messageId}`;
  if (message === undefined) return;
  const attachments = (addition.inbound.attachments ?? []).map((ref, index) => {
    const attachment = newAttachment(ref, { message, position: message.attachment_count + index });
    attachment.source = context.sealSource(message.business_id, attachment.id, ref);
    return attachment;
  });
  await insertAttachments(tx, attachments);
  if (message.content === '' && addition.inbound.content !== '') {
    await tx`update messages set content = ${addition.inbound.content} where id = ${message.id}`;
  }
  await recordUpdate(tx, message, { wakes: fetches(attachments) });
}
