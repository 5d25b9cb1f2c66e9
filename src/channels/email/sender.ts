import type { Sender } from '../../core/envelope.ts';
import { isNoReply } from './automatic.ts';
import { header, headersNamed, isAddress, type Mail, type MailAddress } from './mail.ts';
import { withoutTag } from './tokens.ts';

/** Whoever wrote the mail, as far as it can be told. */
export function senderOf(mail: Mail, own: string): Sender {
  const from = authorOf(mail, own);
  if (isAmbiguous(mail)) return ambiguous(mail);
  if (from === undefined) return nameless(mail);
  return {
    address: from.address,
    kind: 'email',
    email: from.address,
    ...(from.name === undefined ? {} : { name: from.name.slice(0, 200) }),
  };
}

/** Two From headers, or two authors in one: each reader would see another sender, so that none is believed. */
export function isAmbiguous(mail: Mail): boolean {
  return (
    new Set(headersNamed(mail, 'from')).size > 1 || new Set(mail.from.map(({ address }) => address)).size > 1
  );
}

/** Web forms send from the business's own address, or from one that nobody reads: whom they ask to answer is the author. */
function authorOf(mail: Mail, own: string): MailAddress | undefined {
  const [from] = mail.from;
  const answerTo = mail.replyTo.find(({ address }) => withoutTag(address) !== own);
  if (from !== undefined && withoutTag(from.address) !== own && !isNoReply(mail)) return from;
  return answerTo ?? from;
}

function ambiguous(mail: Mail): Sender {
  const claimed = [...new Set([...headersNamed(mail, 'from')])].join(' | ').slice(0, 400);
  return { address: `ambiguous:${claimed.toLowerCase()}`, kind: 'unverified', name: claimed };
}

/** Without a From there is still the envelope. */
function nameless(mail: Mail): Sender {
  const candidates = ['sender', 'return-path', 'reply-to'].map((name) =>
    header(mail, name)
      ?.replace(/^.*<|>.*$/g, '')
      .trim()
      .toLowerCase(),
  );
  const address = candidates.find((one) => one !== undefined && isAddress(one));
  if (address !== undefined) return { address, kind: 'email', email: address };
  const claimed = header(mail, 'from')?.slice(0, 200);
  if (claimed !== undefined && /[\p{L}\p{N}]/u.test(claimed))
    return { address: `unreadable:${claimed.toLowerCase()}`, kind: 'unverified', name: claimed };
  return { address: 'unknown', kind: 'unverified', name: 'Unknown sender' };
}
