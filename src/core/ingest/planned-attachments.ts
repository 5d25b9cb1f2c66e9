import type { AttachmentRef } from '../envelope.ts';
import type { MessageRow } from '../views/message.ts';
import type { MessageItem } from './item.ts';
import { newAttachment, type PlannedAttachment } from './rows.ts';
import type { Work } from './work.ts';

/** The attachments of a message: pending until fetched, or uploads that it takes. */
export function attachmentsFor(
  item: MessageItem,
  { message, from = 0 }: { message: MessageRow; from?: number },
  { state, plan, context }: Work,
): PlannedAttachment[] {
  return (item.inbound.attachments ?? []).flatMap((ref, index) => {
    const place = { message, position: from + index };
    if (ref.uploadId !== undefined) {
      const upload = state.uploads.get(ref.uploadId);
      if (upload === undefined) return [];
      state.uploads.delete(ref.uploadId);
      const claimed = {
        ...newAttachment(ref, place),
        ...upload,
        message_id: message.id,
        state: 'ready' as const,
      };
      plan.claimedUploads.push(claimed);
      return [claimed];
    }
    const attachment = newAttachment(ref, place);
    attachment.source = context.sealSource(message.business_id, attachment.id, located(ref, item));
    plan.attachments.push(attachment);
    return [attachment];
  });
}

/** What is in the request itself is found there again by the request's own row. */
function located(ref: AttachmentRef, { request }: MessageItem): AttachmentRef {
  if (ref.inRequest !== true) return ref;
  return { ...ref, request: { id: request.id, receivedAt: request.receivedAt.toISOString() } };
}
