import type { Receipt } from '../../core/envelope.ts';
import { isBounce } from './automatic.ts';
import type { Mail } from './mail.ts';
import { type DeliveryReport, deliveryReports, failedRecipients, reportedIds } from './report.ts';
import { type Place, withoutRegion } from './threading.ts';

type Outcome = Omit<Receipt, 'externalEventId' | 'threadKey'>;

/** What a mail says of a message that we sent; undefined where it says nothing final. */
export function receiptOf(mail: Mail, { bounced }: Place): Outcome | undefined {
  const [named] = reportedIds(mail).map(withoutRegion);
  const externalId = bounced ?? named;
  if (externalId === undefined || !isBounce(mail)) return undefined;
  const reports = deliveryReports(mail);
  const outcome = reports.length > 0 ? reported(reports) : told(mail, bounced !== undefined);
  const occurredAt = mail.date === undefined ? {} : { occurredAt: mail.date };
  return outcome && { kind: 'receipt', externalId, ...occurredAt, ...outcome };
}

/** What is only delayed or passed on is neither lost nor there. */
function reported(reports: DeliveryReport[]): Pick<Outcome, 'status' | 'error'> | undefined {
  const failed = reports.filter(({ action }) => action === 'failed');
  if (failed.length > 0) return { status: 'failed', error: errorOf(failed) };
  return reports.every(({ action }) => action === 'delivered') ? { status: 'delivered' } : undefined;
}

/** A server that writes no report says it in a header or, to an address that only a bounce comes to, in the subject. */
function told(mail: Mail, isOurs: boolean): Pick<Outcome, 'status' | 'error'> | undefined {
  const recipients = failedRecipients(mail);
  if (recipients.length === 0 && !(isOurs && SAYS_FAILED.test(mail.subject ?? ''))) return undefined;
  return {
    status: 'failed',
    error: { message: `${recipients.join(', ') || 'The mail'} could not be delivered.` },
  };
}

// Of servers that write no report; a warning of a delay says "delayed" and is none of these.
const SAYS_FAILED =
  /undeliver(ed|able)|delivery (status notification \(failure\)|(has )?failed|failure)|failure notice|returned (mail|to sender)|could not be delivered|unzustellbar|non remis|échec de la remise|no se puede entregar|non recapitabile|niet bezorgd|не доставлено/i;

function errorOf(failed: DeliveryReport[]): NonNullable<Receipt['error']> {
  const message = failed.map(reasonOf).join('; ').slice(0, 1_000);
  const code = failed[0]?.status;
  return { message, ...(code === undefined ? {} : { providerCode: code }) };
}

function reasonOf({ recipient, diagnostic, status }: DeliveryReport): string {
  return `${recipient ?? 'a recipient'}: ${diagnostic ?? status ?? 'could not be delivered'}`;
}

/** The reports as they are shown on the message. */
export function reportFacts(mail: Mail): Record<string, unknown>[] | undefined {
  const reports = deliveryReports(mail);
  return reports.length === 0 ? undefined : reports.map((report) => JSON.parse(JSON.stringify(report)));
}
