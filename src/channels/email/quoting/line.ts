/** One line of a mail's text, with what is known of where it comes from. */
export interface Line {
  text: string;
  /** How deep it is quoted: the number of `>`, or of plain block quotes around it. */
  depth: number;
  /** What the mail program's own markup says that it is. */
  mark?: 'quote' | 'signature' | undefined;
}

// Marks of direction and joints, which nobody sees.
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A line that is longer says by its beginning what it is. */
const LONGEST_WORDS = 600;

/** The words of a line, without what nobody sees. */
export function wordsOf(text: string): string {
  return text
    .slice(0, LONGEST_WORDS)
    .replace(INVISIBLE, '')
    .replace(/&nbsp;/g, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Whether the line shows nothing. */
export function isBlank({ text }: Line): boolean {
  return text.length < LONGEST_WORDS && wordsOf(text) === '';
}

/** The lines of a plain text; `>` before a line says how often it was quoted. */
export function textLines(text: string): Line[] {
  return text.split(/\r\n|\r|\n/).map((line) => {
    const quoted = /^ ?(?:>[ \t]?)+/.exec(line)?.[0] ?? '';
    const depth = quoted.replace(/[^>]/g, '').length;
    return { text: line.slice(quoted.length), depth };
  });
}
