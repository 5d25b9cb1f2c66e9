import { type MessageRow, viewMessage } from '../views/message.ts';
import { fetches } from './happened.ts';
import type { MessageItem } from './item.ts';
import { attachmentsFor } from './planned-attachments.ts';
import type { Plan, Work } from './work.ts';

/** A further item is known by its own id, by which edits, reactions and replies may name it. */
export function nameAlbumItem({ channel, inbound }: MessageItem, messageId: string, plan: Plan): void {
  if (inbound.externalId === undefined) return;
  plan.albumIds.push({ channel_id: channel.id, external_id: inbound.externalId, message_id: messageId });
}

/** A further item of an album whose message began in this batch. */
export function addToAlbum(item: MessageItem, message: MessageRow, work: Work): void {
  const event = work.plan.events.find((it) => it.messageId === message.id && it.type === 'message.received');
  const before = event?.data.message?.attachments.length ?? 0;
  const added = attachmentsFor(item, { message, from: before }, work);
  if (message.content === '' && item.inbound.content !== '') message.content = item.inbound.content;
  if (event?.data.message !== undefined) {
    event.data.message.content = message.content;
    event.data.message.attachments.push(...viewMessage(message, { attachments: added }).attachments);
    event.wakes = [...(event.wakes ?? []), ...fetches(added)];
  }
}
