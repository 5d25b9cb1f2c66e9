import { AppError } from '../../core/errors.ts';

/** Why a mail is not taken, with the code that says whether it should come again. */
export interface Refusal extends Error {
  responseCode: number;
}

/** A refusal in the words of SMTP. */
export function refuse(responseCode: number, text: string): Refusal {
  return Object.assign(new Error(text), { responseCode });
}

/** What a sender is told; whatever we do not know may pass, so that the mail stays in the sender's queue. */
export function refusal(error: unknown): Refusal {
  if (error instanceof Error && 'responseCode' in error) return error as Refusal;
  if (error instanceof AppError && error.code === 'not_found') return refuse(550, 'No such mailbox here');
  return refuse(451, 'Not stored, please try again later');
}

/** What one recipient's mail is answered. */
export type Answer = Refusal | string;

/** SMTP has one answer for all recipients: where one could not be stored all are sent again, and the others know it. */
export function worstOf(answers: Answer[]): Refusal | null {
  const refusals = answers.filter((answer) => typeof answer !== 'string');
  const [first] = refusals;
  if (first === undefined) return null;
  const temporary = refusals.find(({ responseCode }) => responseCode < 500);
  return temporary ?? (refusals.length === answers.length ? first : null);
}
