import type { OutboundAttachment, OutboundMessage } from '../../src/core/envelope.ts';
import { newId } from '../../src/core/id.ts';

/** A message for a customer; a test says only what matters to it. */
export function outbound(fields: Partial<OutboundMessage> = {}): OutboundMessage {
  return {
    id: newId(),
    conversationId: newId(),
    threadKey: '5001',
    type: 'text',
    content: 'Hello',
    html: undefined,
    card: undefined,
    attachments: [],
    email: undefined,
    template: undefined,
    replyToExternalId: undefined,
    metadata: {},
    ...fields,
  };
}

/** By these bytes providers know a picture. */
const BEGINNINGS: Record<string, string> = {
  'image/jpeg': '\xff\xd8\xff',
  'image/png': '\x89PNG\r\n\x1a\n',
  'image/webp': 'RIFF\0\0\0\0WEBP',
};

/** A stored attachment on its way out. */
export function outboundFile(
  contentType: string,
  fields: Partial<OutboundAttachment> = {},
): OutboundAttachment {
  const bytes = Buffer.from(`${BEGINNINGS[contentType] ?? ''}bytes of a ${contentType}`, 'latin1');
  const name = `file.${contentType.split('/')[1]}`;
  const id = newId();
  return {
    id,
    name,
    contentType,
    sizeBytes: bytes.length,
    url: `https://files.example/${id}`,
    open: async () => bytes,
    ...fields,
  };
}
