import { isForwardSubject } from './forward-subject.ts';
import { htmlLines } from './quoting/html-lines.ts';
import { type Line, textLines } from './quoting/line.ts';
import { type Kind, kindsOf } from './quoting/written.ts';

interface MailText {
  text?: string | undefined;
  html?: string | undefined;
  subject?: string | undefined;
}

export interface Readable {
  /** What the person wrote: without quotes and signature, and never empty when the mail was not. */
  content: string;
  /** All of the text, when that is more. */
  textFull: string | undefined;
}

const LONGEST = 1_000_000;
const DEEPEST = 8;
/** As far as lines are looked at one by one. */
const MOST_LINES = 5_000;

/** What a mail says to a reader. The HTML is asked first, since its markup tells quotes apart in every language. */
export function readable({ text = '', html = '', subject = '' }: MailText): Readable {
  const shown = html === '' ? [] : htmlLines(html);
  const plain = textLines(text.slice(0, LONGEST));
  const lines = joined(shown, everything) === '' ? plain : shown;
  const full = joined(plain, everything) === '' ? joined(shown, everything) : text.slice(0, LONGEST).trim();
  const content = writtenIn(lines, { isForward: isForwardSubject(subject) });
  return { content, textFull: content === full ? undefined : full };
}

function writtenIn(lines: Line[], options: { isForward: boolean }): string {
  const kinds = kindsOf(lines.slice(0, MOST_LINES), options);
  // Nobody wrote on for that long: the rest is what the last of it was.
  const last = kinds.at(-1) ?? 'written';
  while (kinds.length < lines.length) kinds.push(last);
  const shown = lines.map((line, at) => (kinds[at] === 'forwarded' ? { ...line, depth: 0 } : line));
  const only = (...wanted: Kind[]) => joined(shown, (_, at) => wanted.includes(kinds[at] as Kind));
  return (
    only('written', 'forwarded') || only('written', 'forwarded', 'signature') || joined(lines, everything)
  );
}

const everything = () => true;

function joined(lines: Line[], keeps: (line: Line, at: number) => boolean): string {
  const text = lines
    .filter(keeps)
    .map(({ text, depth }) =>
      `${'> '.repeat(Math.min(depth, DEEPEST))}${text.replace(/\u00a0/g, ' ')}`.trimEnd(),
    )
    .join('\n');
  return text
    .replace(/\n{3,}/g, '\n\n')
    .replace(/^(?:[ \t\u200b\ufeff]*\n)+|^[\s\u200b\ufeff]+$/, '')
    .trim();
}
