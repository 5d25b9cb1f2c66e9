/** A mail as the rest of this folder sees it, whatever brought it and whatever parsed it. */
export interface Mail {
  /** In the order of the mail; names lower case, values unfolded and undecoded. */
  headers: MailHeader[];
  from: MailAddress[];
  to: MailAddress[];
  cc: MailAddress[];
  replyTo: MailAddress[];
  subject: string | undefined;
  date: Date | undefined;
  /** With its angle brackets, as it stands on the wire. */
  messageId: string | undefined;
  inReplyTo: string[];
  references: string[];
  text: string | undefined;
  html: string | undefined;
  attachments: MailAttachment[];
}

export interface MailHeader {
  name: string;
  value: string;
}

export interface MailAddress {
  name: string | undefined;
  /** Lower case. */
  address: string;
}

export interface MailAttachment {
  /** Which of the mail's attachments it is, by which its bytes are found again. */
  part: string;
  name: string | undefined;
  contentType: string;
  sizeBytes: number;
  /** Without angle brackets. */
  contentId: string | undefined;
  isInline: boolean;
  /** The beginning of what is read here already: reports of mail servers and attached mails. */
  start: string | undefined;
}

/** The value of a mail's first header of that name. */
export function header(mail: Pick<Mail, 'headers'>, name: string): string | undefined {
  return mail.headers.find((one) => one.name === name)?.value;
}

/** The values of all headers of that name. */
export function headersNamed(mail: Pick<Mail, 'headers'>, name: string): string[] {
  return mail.headers.filter((one) => one.name === name).map(({ value }) => value);
}

/** What somebody could be written to; anything else in a header is decoration. */
export function isAddress(text: string): boolean {
  return text.length <= 254 && /^[^\s@<>"(),;:\\]+@[^\s@<>"(),;:\\]+$/.test(text);
}

const MESSAGE_ID = /<[^<>\s]{1,900}>/g;
const MOST_IDS = 50;

/** The message ids in a header; some programs leave out the brackets. */
export function messageIds(value: string | undefined): string[] {
  if (value === undefined) return [];
  const ids = value.match(MESSAGE_ID) ?? bareIds(value);
  // The first is the root of its chain, by which the mails of one chain know each other.
  const [root, ...later] = new Set(ids);
  return root === undefined ? [] : [root, ...later.slice(1 - MOST_IDS)];
}

function bareIds(value: string): string[] {
  return value
    .split(/[\s,<>]+/)
    .filter((id) => id.includes('@') && id.length <= 900)
    .map((id) => `<${id}>`);
}
