import { choiceAt, readChoice, readChoiceId } from '../cards.ts';
import type { Choice } from '../envelope.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageRow } from '../views/message.ts';
import type { MessageItem } from './item.ts';
import type { Work } from './work.ts';

/** Notes what the customer chose, by button, label or number. A card is answered once; an older one only by its buttons. */
export function noteChoice(
  item: MessageItem,
  { conversation, message }: { conversation: ConversationRow; message: MessageRow },
  work: Work,
): void {
  const choice = choiceOf(item, { conversation, message }, work);
  if (choice === undefined) return;
  message.metadata = { ...message.metadata, choice };
  if (message.content === '') message.content = choice.label;
  if (item.inbound.pressed !== undefined) message.reply_to_id ??= choice.message_id;
  if (choice.message_id !== conversation.open_card?.message_id) return;
  // Who types a score twice still says how they were served, and nothing new.
  if (conversation.open_card.is_rating === true) return;
  conversation.open_card = null;
  work.plan.answered.add(conversation);
}

/** Whether the customer only answers how they were served: that begins nothing again. */
export function isRating({ inbound }: MessageItem, conversation: ConversationRow, { state }: Work): boolean {
  if (inbound.pressed !== undefined) {
    const named = readChoiceId(inbound.pressed);
    const card = named === undefined ? undefined : state.cards.get(named.messageId);
    return card?.is_rating === true && card.conversation_id === conversation.id;
  }
  const open = conversation.open_card;
  // Whoever writes more below the score wants it to be read.
  const isAll = !inbound.content.trim().includes('\n');
  return (
    open?.is_rating === true && isAll && readChoice(open.message_id, open, inbound.content) !== undefined
  );
}

function choiceOf(
  item: MessageItem,
  { conversation, message }: { conversation: ConversationRow; message: MessageRow },
  work: Work,
): Choice | undefined {
  const { pressed, automatic } = item.inbound;
  if (pressed !== undefined) return pressedChoice(pressed, { item, conversation, message }, work);
  const open = conversation.open_card;
  if (open === null || automatic === true) return undefined;
  return readChoice(open.message_id, open, message.content);
}

interface Pressing {
  item: MessageItem;
  conversation: ConversationRow;
  message: MessageRow;
}

/** A button's id comes from outside: it counts only for a card that this customer was sent on this channel. */
function pressedChoice(pressed: string, { item, conversation, message }: Pressing, { state }: Work) {
  const named = readChoiceId(pressed);
  if (named === undefined) {
    const label = message.content === '' ? pressed : message.content;
    return { message_id: message.reply_to_id, number: null, label, action: pressed };
  }
  const card = state.cards.get(named.messageId);
  if (card === undefined || card.channel_id !== item.channel.id) return undefined;
  const isTheirs =
    card.conversation_id === conversation.id ||
    (card.customer_id !== null && card.customer_id === conversation.customer_id);
  return isTheirs ? choiceAt(card.id, card.card, named.number) : undefined;
}
