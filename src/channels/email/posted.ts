import type { DoorRequest } from '../../core/adapter.ts';
import { readForm } from './form.ts';
import { fromForm } from './posted-form.ts';
import { fromRaw, type Posted } from './posted-mail.ts';
import { fromPostmark } from './posted-postmark.ts';

export type MailRequest = Pick<DoorRequest, 'headers' | 'body'>;

/** Reads what Mailgun, SendGrid, Postmark or anybody's own mail server posts; undefined where no mail is in it. */
export async function readPosted({ headers, body }: MailRequest): Promise<Posted | undefined> {
  if (body.length === 0) return undefined;
  const contentType = headers['content-type'] ?? '';
  if (/^\s*(multipart\/form-data|application\/x-www-form-urlencoded)/i.test(contentType))
    return fromForm(await readForm(body, contentType));
  if (/^\s*application\/json/i.test(contentType)) return fromPostmark(body);
  return fromRaw(body);
}
