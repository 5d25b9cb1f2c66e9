interface Refusal {
  code: number;
  text: string;
}

const ONCE = [
  'from',
  'to',
  'cc',
  'subject',
  'date',
  'message-id',
  'reply-to',
  'sender',
  'in-reply-to',
  'references',
];

interface Announced {
  /** The mail may have bytes beyond ASCII. */
  is8Bit: boolean;
  /** Its headers may have them, too. */
  isUtf8: boolean;
  size: number | undefined;
}

/** Why a strict mail server refuses a mail (RFC 5321 and 5322, in Gmail's and Postfix's words); undefined where it takes it. */
export function refusalOf(raw: Buffer, { is8Bit, isUtf8, size }: Announced): Refusal | undefined {
  const text = raw.toString('latin1');
  const head = text.split('\r\n\r\n', 1)[0] ?? '';
  if (size !== undefined && raw.length > size)
    return { code: 552, text: '5.3.4 Message size exceeds fixed limit' };
  if (/(^|[^\r])\n|\r(?!\n)/.test(text)) return { code: 521, text: '5.5.2 Error: bare <LF> received' };
  if (text.split('\r\n').some((line) => line.length > 998)) return { code: 500, text: '5.5.2 Line too long' };
  if (!isUtf8 && /[^\0-\x7f]/.test(head))
    return { code: 550, text: '5.6.7 Non-ASCII header without SMTPUTF8' };
  if (!is8Bit && !isUtf8 && /[^\0-\x7f]/.test(text))
    return { code: 554, text: '5.6.1 8-bit data without 8BITMIME' };
  const names = head.split(/\r\n(?![ \t])/).map((line) => line.slice(0, line.indexOf(':')).toLowerCase());
  const missing = ['from', 'date', 'message-id'].find((name) => !names.includes(name));
  if (missing !== undefined)
    return { code: 550, text: `5.7.1 Messages missing a valid ${missing} header are not accepted` };
  const doubled = ONCE.find((name) => names.filter((one) => one === name).length > 1);
  return doubled === undefined
    ? undefined
    : {
        code: 550,
        text: `5.7.1 This message is not RFC 5322 compliant. There are multiple ${doubled} headers`,
      };
}
