import { isForwardSubject } from './forward-subject.ts';
import { header, isAddress, type Mail } from './mail.ts';

export interface OriginalSender {
  address?: string;
  name?: string;
  /** How it is known: text of a forwarded mail, a mail attached, a list or a redirection that put itself in front. */
  via: 'forwarded' | 'attached' | 'list';
}

/** Who wrote first what somebody passed on. */
export function originalSender(mail: Mail, text: string): OriginalSender | undefined {
  return rewritten(mail) ?? attached(mail) ?? (isForward(mail) ? quoted(text) : undefined);
}

/** Lists that send in their own name keep the author's beside it. */
function rewritten(mail: Mail): OriginalSender | undefined {
  const value = header(mail, 'x-original-from') ?? header(mail, 'x-original-sender');
  return value === undefined ? undefined : author(value, 'list');
}

function attached(mail: Mail): OriginalSender | undefined {
  const inner = mail.attachments.find(({ contentType }) => contentType === 'message/rfc822');
  const from = /^from:[ \t]*((?:.|\r?\n[ \t])*)/im.exec(headOf(inner?.start))?.[1];
  return from === undefined ? undefined : author(from.replace(/\r?\n[ \t]+/g, ' '), 'attached');
}

function headOf(start: string | undefined): string {
  return start?.split(/\r?\n\r?\n/, 1)[0] ?? '';
}

function isForward(mail: Mail): boolean {
  return isForwardSubject(mail.subject ?? '') || header(mail, 'x-forwarded-message-id') !== undefined;
}

const FROM_LINE =
  /^[>\s*]*(?:from|von|de|da|van|fra|från|lähettäjä|od|kimden|gönderen|от|від|feladó|από|发件人|寄件者|差出人|보낸 사람|expéditeur)\s*\*?\s*[:：]\s*\*?\s*(.{1,300})$/imu;
const LOOKED_AT = 20_000;

function quoted(text: string): OriginalSender | undefined {
  const line = FROM_LINE.exec(text.slice(0, LOOKED_AT))?.[1];
  return line === undefined ? undefined : author(line, 'forwarded');
}

function author(text: string, via: OriginalSender['via']): OriginalSender | undefined {
  const address = /[^\s@<>"(),;:\\[\]]{1,64}@[^\s@<>"(),;:\\[\]]{1,190}/
    .exec(text.slice(0, 500))?.[0]
    ?.toLowerCase();
  const name = text
    .slice(0, 500)
    .replace(/[<[(].*$/s, '')
    .replace(/["*]|mailto:/g, '')
    .trim()
    .slice(0, 200);
  const known = address !== undefined && isAddress(address);
  if (!known && name === '') return undefined;
  return {
    ...(known ? { address } : {}),
    ...(name === '' || name.toLowerCase() === address ? {} : { name }),
    via,
  };
}
