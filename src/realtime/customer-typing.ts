import type { CustomerTyping } from '../core/customers/typing-customers.ts';
import { announceVisitorTyping } from './announce-typing.ts';
import type { RealtimeContext } from './context.ts';
import { createTyping } from './typing.ts';

/** Shows agents that customers of other channels type, and ends it when nothing more is heard. */
export function createCustomerTyping(context: RealtimeContext) {
  const who = new Map<string, CustomerTyping>();
  const typing = createTyping((conversationId, isTyping) => {
    const known = who.get(conversationId);
    if (known !== undefined) announceVisitorTyping(context, { ...known, isTyping });
    if (!isTyping) who.delete(conversationId);
  });
  return {
    show(sign: CustomerTyping): void {
      if (sign.isTyping) who.set(sign.conversationId, sign);
      typing.set(sign.conversationId, sign.isTyping);
    },
    stop: typing.stop,
  };
}
