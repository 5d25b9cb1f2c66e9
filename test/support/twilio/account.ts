import { randomBytes } from 'node:crypto';

/** A number, short code, WhatsApp sender or messaging service of the account, with the address it calls. */
export interface FakeSender {
  kind: 'number' | 'short code' | 'whatsapp' | 'service';
  sid: string;
  /** What it is called in requests: +1555…, 12345, whatsapp:+1555…, MG…. */
  name: string;
  url: string | null;
  statusUrl: string | null;
  /** Set while an application or the service's numbers are called instead. */
  overruled: boolean;
}

export interface FakeMedia {
  sid: string;
  contentType: string;
  bytes: Buffer;
  /** How often it is not there yet. */
  missing: number;
}

export interface FakeMessage {
  sid: string;
  direction: 'inbound' | 'outbound-api';
  from: string | null;
  to: string;
  body: string;
  service: string | null;
  status: string;
  errorCode: number | null;
  errorMessage: string | null;
  sentAt: Date;
  media: FakeMedia[];
  mediaUrls: string[];
  contentSid: string | null;
  contentVariables: string | null;
  statusCallback: string | null;
}

export interface FakeContent {
  sid: string;
  friendly_name: string;
  language: string;
  variables: Record<string, string>;
  types: Record<string, unknown>;
  approval: string;
}

export function sidOf(prefix: string): string {
  return prefix + randomBytes(16).toString('hex');
}

/** What Twilio answers instead of doing as asked. */
export class Refused extends Error {
  readonly status: number;
  readonly code: number;
  readonly headers: Record<string, string>;

  constructor(status: number, code: number, message: string, headers: Record<string, string> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }
}

const E164 = /^\+[1-9]\d{6,14}$/;
const SHORT_CODE = /^\d{3,8}$/;
const BSUID = /^[A-Z]{2}\.(ENT\.)?[A-Za-z0-9]{1,128}$/;

/** The rules of the Messages resource that its schema cannot say. */
export function checkMessage(
  form: URLSearchParams,
  account: { senders: FakeSender[]; contents: FakeContent[]; stopped: Set<string>; suspended: boolean },
): void {
  const [to, from, service] = ['To', 'From', 'MessagingServiceSid'].map((name) => form.get(name));
  const [body, contentSid] = ['Body', 'ContentSid'].map((name) => form.get(name));
  const media = form.getAll('MediaUrl');
  if (account.suspended) throw new Refused(403, 20005, 'Account is not active');
  if (!to) throw new Refused(400, 21604, "A 'To' phone number is required.");
  if (!from && !service) throw new Refused(400, 21603, "A 'From' phone number is required.");
  checkSender(account.senders, from ?? null, service ?? null);
  checkReader(to, (from ?? to).startsWith('whatsapp:'));
  if (to === from)
    throw new Refused(400, to.startsWith('whatsapp:') ? 63031 : 21266, "'To' and 'From' cannot be the same");
  if (!body && media.length === 0 && !contentSid) throw new Refused(400, 21602, 'Message body is required.');
  if ((body ?? '').length > 1600)
    throw new Refused(400, 21617, 'The concatenated message body exceeds the 1600 character limit');
  if (media.length > 10) throw new Refused(400, 21623, 'Number of media files exceeds allowed limit');
  if (to.startsWith('whatsapp:') && media.length > 1)
    throw new Refused(400, 21623, 'Number of media files exceeds allowed limit');
  if (media.some((url) => !/^https?:\/\/[^/]+\./.test(url) && !/^http:\/\/127\./.test(url)))
    throw new Refused(400, 21620, 'Invalid media URL(s)');
  if (contentSid && !account.contents.some(({ sid }) => sid === contentSid))
    throw new Refused(400, 21655, 'The ContentSid is Invalid');
  checkVariables(form.get('ContentVariables'), contentSid ?? null);
  if (account.stopped.has(to)) throw new Refused(400, 21610, 'Attempt to send to unsubscribed recipient');
  const callback = form.get('StatusCallback');
  if (callback !== null && new URL(callback).hostname.includes('_'))
    throw new Refused(400, 21609, "The 'StatusCallback' URL is not valid");
}

function checkSender(senders: FakeSender[], from: string | null, service: string | null): void {
  if (service !== null && !senders.some(({ name }) => name === service))
    throw new Refused(404, 20404, 'The requested resource was not found');
  if (
    from === null ||
    senders.some(({ name }) => name === from) ||
    /[A-Za-z]/.test(from.replace('whatsapp:', ''))
  )
    return;
  if (from.startsWith('whatsapp:'))
    throw new Refused(400, 63007, 'Twilio could not find a Channel with the specified From address');
  throw new Refused(400, 21606, `The 'From' phone number ${from} is not a valid, message-capable number`);
}

function checkReader(to: string, isWhatsApp: boolean): void {
  const address = to.replace(/^whatsapp:/, '');
  const isValid = isWhatsApp
    ? to.startsWith('whatsapp:') && (E164.test(address) || BSUID.test(address))
    : E164.test(to) || SHORT_CODE.test(to);
  if (!isValid) throw new Refused(400, 21211, `The 'To' number ${to} is not a valid phone number.`);
}

function checkVariables(variables: string | null, contentSid: string | null): void {
  if (variables === null) return;
  if (contentSid === null) throw new Refused(400, 21654, 'ContentSid Required');
  try {
    const parsed = JSON.parse(variables) as Record<string, unknown>;
    if (Object.values(parsed).every((value) => typeof value === 'string' && value !== '')) return;
  } catch {
    // Falls through to the refusal.
  }
  throw new Refused(400, 21656, 'The ContentVariables Parameter is invalid');
}

/** A message as the API shows it. */
export function asResource(message: FakeMessage, accountSid: string): Record<string, unknown> {
  const base = `/2010-04-01/Accounts/${accountSid}/Messages/${message.sid}`;
  const at = message.sentAt.toUTCString().replace('GMT', '+0000');
  return {
    account_sid: accountSid,
    api_version: '2010-04-01',
    body: message.body,
    date_created: at,
    date_sent: at,
    date_updated: at,
    direction: message.direction,
    error_code: message.errorCode,
    error_message: message.errorMessage,
    from: message.from,
    messaging_service_sid: message.service,
    num_media: String(message.media.length + message.mediaUrls.length),
    num_segments: '1',
    price: null,
    price_unit: 'USD',
    sid: message.sid,
    status: message.status,
    subresource_uris: { media: `${base}/Media.json` },
    to: message.to,
    uri: `${base}.json`,
  };
}
