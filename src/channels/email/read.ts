import type { Channel } from '../../core/adapter.ts';
import type { Inbound } from '../../core/envelope.ts';
import type { Authenticator } from './authenticate.ts';
import { notedVerdict } from './authentication.ts';
import { inboundOf } from './inbound.ts';
import { type MailRequest, readPosted } from './posted.ts';
import type { Posted } from './posted-mail.ts';
import type { EmailSettings } from './settings.ts';
import type { Tokens } from './tokens.ts';

export interface Reading {
  tokens: Tokens;
  authenticate: Authenticator;
}

/** What a mail means that was posted to the door, taken by SMTP or found in the mailbox. */
export async function readRequest(
  request: MailRequest,
  channel: Channel<EmailSettings>,
  { tokens, authenticate }: Reading,
): Promise<Inbound[]> {
  const posted = await readPosted(request);
  if (posted === undefined) return [];
  return inboundOf(posted.mail, { channel, tokens, verdict: await verdictOf(posted, channel, authenticate) });
}

/** Where nobody who is believed has checked the mail, its signatures still can be. */
async function verdictOf(
  { mail, raw, verdict }: Posted,
  channel: Channel<EmailSettings>,
  authenticate: Authenticator,
) {
  const noted = notedVerdict(mail, channel) ?? verdict;
  return noted ?? (raw === undefined ? undefined : await authenticate(raw));
}
