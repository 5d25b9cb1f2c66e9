import { headerLinesOf, readHeaderLines } from './header-lines.ts';
import { header, type Mail, messageIds } from './mail.ts';

/** What a mail server reports of one recipient (RFC 3464). */
export interface DeliveryReport {
  recipient: string | undefined;
  action: 'failed' | 'delayed' | 'delivered' | 'relayed' | 'expanded';
  /** The enhanced status code, such as `5.1.1`. */
  status: string | undefined;
  /** What the other server said, in its own words. */
  diagnostic: string | undefined;
}

/** The reports in a mail, one a recipient; none where the mail is no delivery report. */
export function deliveryReports(mail: Mail): DeliveryReport[] {
  const part = mail.attachments.find(({ contentType }) =>
    /^message\/(global-)?delivery-status$/.test(contentType),
  );
  if (part?.start === undefined) return [];
  return part.start
    .replace(/\r\n/g, '\n')
    .split(/\n[ \t]*\n+/)
    .map(fieldsOf)
    .flatMap(reportOf)
    .slice(0, 100);
}

/** The message id of the mail that a report is about: its returned headers, or what the report answers. */
export function reportedIds(mail: Mail): string[] {
  const returned = mail.attachments.filter(({ contentType }) =>
    /^(message\/(rfc822|global)|text\/rfc822-headers)$/.test(contentType),
  );
  const ids = returned.flatMap(({ start }) => messageIds(fieldsOf(start ?? '').get('message-id')));
  return [...ids, ...mail.inReplyTo, ...mail.references.toReversed(), ...failedIds(mail)];
}

/** qmail, Exim and Gmail tell in headers of their own whose delivery failed. */
export function failedRecipients(mail: Mail): string[] {
  return (header(mail, 'x-failed-recipients') ?? '').split(',').flatMap((one) => one.trim() || []);
}

function failedIds(mail: Mail): string[] {
  return messageIds(header(mail, 'x-original-message-id'));
}

/** Of several of one name the first counts. */
function fieldsOf(block: string): Map<string, string> {
  const read = readHeaderLines(headerLinesOf(block));
  return new Map(read.toReversed().map(({ name, value }) => [name, value]));
}

const ACTIONS = ['failed', 'delayed', 'delivered', 'relayed', 'expanded'] as const;

function reportOf(fields: Map<string, string>): DeliveryReport[] {
  const word = fields
    .get('action')
    ?.split(/[\s(;]/, 1)[0]
    ?.toLowerCase();
  const action = ACTIONS.find((one) => one === word);
  if (action === undefined) return [];
  const status = /\d\.\d{1,3}\.\d{1,3}/.exec(fields.get('status') ?? '')?.[0];
  return [
    {
      recipient: typed(fields.get('original-recipient')) ?? typed(fields.get('final-recipient')),
      // Some servers say "failed" of what they will still try.
      action:
        action === 'failed' && status?.startsWith('4') === true && fields.has('will-retry-until')
          ? 'delayed'
          : action,
      status,
      diagnostic: typed(fields.get('diagnostic-code')),
    },
  ];
}

/** `rfc822; ada@example.com` without its type. */
function typed(value: string | undefined): string | undefined {
  const text = value?.replace(/^[\w-]+\s*;\s*/, '').trim();
  return text === undefined || text === '' ? undefined : text.slice(0, 1_000);
}
