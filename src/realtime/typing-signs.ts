import { createTyping } from './typing.ts';

/** Somebody types, or no longer does. */
interface TypingSign {
  conversationId: string;
  userId: string;
  isTyping: boolean;
}

/** Announces typing that is told by requests, each of which may reach another process; it ends when nothing more is heard. */
export function createTypingSigns<Sign extends TypingSign>(announce: (sign: Sign) => void) {
  const newest = new Map<string, Sign>();
  const typing = createTyping((key, isTyping) => {
    const sign = newest.get(key);
    if (sign !== undefined) announce({ ...sign, isTyping });
    if (!isTyping) newest.delete(key);
  });
  return {
    show(sign: Sign): void {
      const key = `${sign.conversationId} ${sign.userId}`;
      if (sign.isTyping || newest.has(key)) {
        newest.set(key, sign);
        typing.set(key, sign.isTyping);
      } else {
        // What ends here has begun in another process.
        announce(sign);
      }
    },
    stop: typing.stop,
  };
}
