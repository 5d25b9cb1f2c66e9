export interface Range {
  /** The number of the first message; each number is used once in a run. */
  from: number;
  count: number;
  senders: number;
}

/** Bodies as Telegram posts them: one text message each, the senders taking turns. */
export function telegramUpdates({ from, count, senders }: Range): string[] {
  return Array.from({ length: count }, (_, n) => telegramUpdate(from + n, (from + n) % senders));
}

/** The text says which message it is, so that whoever hears it knows when it was sent. */
export function textOf(n: number): string {
  return `Message number ${n}, could you have a look at my order please?`;
}

/** The number in such a text. */
export function numberIn(text: string): number {
  return Number(/number (\d+)/.exec(text)?.[1]);
}

function telegramUpdate(n: number, sender: number): string {
  const person = { id: 5_000_000 + sender, first_name: `Sender ${sender}`, username: `sender_${sender}` };
  return JSON.stringify({
    update_id: 100_000_000 + n,
    message: {
      message_id: 1_000 + n,
      from: { ...person, is_bot: false, language_code: 'en' },
      chat: { ...person, type: 'private' },
      date: Math.floor(Date.now() / 1_000),
      text: textOf(n),
    },
  });
}
