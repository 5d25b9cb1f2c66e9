import type { MailHeader } from './mail.ts';

/** The lines of a header at the beginning of a text, up to the first empty one; folded as they stand there. */
export function headerLinesOf(text: string): string[] {
  const [head = ''] = text.replace(/^[\r\n]+/, '').split(/\r?\n\r?\n/, 1);
  return head.split(/\r?\n(?![ \t])/).filter((line) => line !== '');
}

/** Such lines, read; what is no header is left out. */
export function readHeaderLines(lines: string[]): MailHeader[] {
  return lines.flatMap((line) => {
    const [, name, value] = /^([!-9;-~]+)[ \t]*:(.*)$/s.exec(line) ?? [];
    if (name === undefined || value === undefined) return [];
    return [{ name: name.toLowerCase(), value: value.replace(/\r?\n[ \t]*/g, ' ').trim() }];
  });
}
