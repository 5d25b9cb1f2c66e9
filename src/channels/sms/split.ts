import type { OutboundAttachment, OutboundMessage, Part } from '../../core/envelope.ts';
import { splitText } from '../shared/split-text.ts';
import type { Payload } from '../shared/twilio/send.ts';
import { templatePayload } from '../shared/twilio/template.ts';
import { LIMITS } from './limits.ts';

/** What one message becomes: texts of up to 1600 characters, the files with the first of them. */
export function split(message: OutboundMessage): Part[] {
  const { template, content, attachments } = message;
  if (template !== undefined) return [partOf(message, 0, { payload: templatePayload(template), files: [] })];
  const texts = splitText(content.trim(), LIMITS.textLength).filter((text) => text.trim() !== '');
  const groups = grouped(attachments);
  return Array.from({ length: Math.max(texts.length, groups.length) }, (_, n) =>
    partOf(message, n, { payload: { text: texts[n] ?? '' }, files: groups[n] ?? [] }),
  );
}

interface Said {
  payload: Omit<Payload, 'from'>;
  files: OutboundAttachment[];
}

function partOf({ id, threadKey }: OutboundMessage, n: number, { payload, files }: Said): Part {
  return { n, threadKey, payload: { ...payload, from: { id, part: n } }, attachments: files };
}

/** As many files as one message takes, in their order. */
function grouped(files: OutboundAttachment[]): OutboundAttachment[][] {
  const groups: OutboundAttachment[][] = [];
  for (const file of files) {
    const group = groups.at(-1);
    if (group === undefined || !fits(group, file)) groups.push([file]);
    else group.push(file);
  }
  return groups;
}

function fits(group: OutboundAttachment[], file: OutboundAttachment): boolean {
  const bytes = [...group, file].reduce((sum, { sizeBytes }) => sum + (sizeBytes ?? 0), 0);
  return group.length < (LIMITS.attachmentsPerPart ?? 1) && bytes <= LIMITS.outboundBytes;
}
