import type { Correspondence } from '../../core/envelope.ts';
import { SendRejected } from '../../core/errors.ts';
import type { EmailSettings } from './settings.ts';

const MINUTE_MS = 60_000;

/**
 * Two programs that answer each other never stop. So no program of ours answers one, and within a period our own answers a
 * person once, however many mails they write; a program of the business's decides for itself.
 */
export function refuseAutomatic(
  { writtenBy, writtenAt, lastAutomaticAt, earlier }: Correspondence,
  { automatic_answer_minutes: minutes }: EmailSettings,
): void {
  const newest = earlier.find(({ isInbound }) => isInbound);
  if (writtenBy === 'agent' || newest === undefined) return;
  const { automatic, no_auto_reply } = newest.metadata;
  if (automatic === true || no_auto_reply === true) {
    throw new SendRejected(
      'It would answer a mail that a program wrote, or one that wants no automatic answer.',
      {
        code: 'automatic_mail',
      },
    );
  }
  const isTooSoon =
    lastAutomaticAt !== undefined && writtenAt.getTime() - lastAutomaticAt.getTime() < minutes * MINUTE_MS;
  if (writtenBy === 'system' && isTooSoon) {
    throw new SendRejected(`The customer got an automatic answer within the last ${minutes} minutes.`, {
      code: 'automatic_limit',
    });
  }
}
