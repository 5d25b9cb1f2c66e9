import type { EarlierMessage } from '../../core/envelope.ts';

const MOST_MESSAGES = 5;
const LONGEST_MESSAGE = 4_000;

/** What was said before, below an answer: for readers whose mail program shows no conversations. */
export function quotedHistory(earlier: EarlierMessage[]): { text: string; html: string } | undefined {
  const quoted = earlier.slice(0, MOST_MESSAGES).filter(({ content }) => content.trim() !== '');
  if (quoted.length === 0) return undefined;
  return {
    text: quoted.map((one) => `${headOf(one)}\n${prefixed(shortened(one.content))}`).join('\n\n'),
    html: quoted.map(asHtml).join(''),
  };
}

function headOf({ writtenAt, senderName }: EarlierMessage): string {
  const at = writtenAt.toISOString().replace('T', ' at ').slice(0, 19);
  return `On ${at} UTC, ${senderName ?? 'we'} wrote:`;
}

function prefixed(text: string): string {
  return text
    .split('\n')
    .map((line) => (line === '' ? '>' : `> ${line}`))
    .join('\n');
}

function shortened(text: string): string {
  return text.length > LONGEST_MESSAGE ? `${text.slice(0, LONGEST_MESSAGE)} […]` : text;
}

function asHtml(one: EarlierMessage): string {
  const words = escaped(shortened(one.content)).replace(/\n/g, '<br>');
  return (
    `<div class="tributary_quote"><br><div>${escaped(headOf(one))}</div>` +
    `<blockquote type="cite" style="margin:0 0 0 .8ex;border-left:1px solid #ccc;padding-left:1ex">${words}</blockquote></div>`
  );
}

function escaped(text: string): string {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
