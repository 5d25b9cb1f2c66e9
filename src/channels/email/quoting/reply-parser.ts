import EmailReplyParser from 'email-reply-parser';

/** What email-reply-parser knows of single lines; of whole mails it also drops what people wrote. */
export const replyParserKnows = {
  /** The line stands above a quote. */
  head(words: string): boolean {
    const parsed = new EmailReplyParser().read(`${words}\n> quoted`);
    return parsed.getVisibleText().trim() === '';
  },
  /** The line was put below the mail by a program. */
  signature(words: string): boolean {
    const parsed = new EmailReplyParser().read(`Hello\n\n${words}`);
    return parsed.getFragments().some((fragment) => fragment.isSignature());
  },
};
