import { readChoiceId } from '../cards.ts';
import type { Sql } from '../database/connect.ts';
import type { Card } from '../envelope.ts';
import type { Item } from './item.ts';

/** A card of ours below which a button was pressed. */
export interface PressedCard {
  id: string;
  channel_id: string;
  conversation_id: string;
  /** Of its conversation, as it is now. */
  customer_id: string | null;
  card: Card;
  /** It asks how the customer was served. */
  is_rating: boolean;
}

/** The cards that pressed buttons name; nothing is asked where none was pressed. */
export async function findPressedCards(tx: Sql, items: Item[]): Promise<Map<string, PressedCard>> {
  const ids = items.flatMap(({ inbound }) => {
    const pressed = inbound.kind === 'message' ? inbound.pressed : undefined;
    const named = pressed === undefined ? undefined : readChoiceId(pressed);
    return named === undefined ? [] : [named.messageId];
  });
  if (ids.length === 0) return new Map();
  const rows = await tx<PressedCard[]>`
    select m.id, m.channel_id, m.conversation_id, c.customer_id, m.card,
      exists (select 1 from ratings where message_id = m.id) as is_rating
    from messages m join conversations c on c.id = m.conversation_id
    where m.id = any(${ids}::uuid[]) and m.direction = 'outbound' and m.card is not null`;
  return new Map(rows.map((row) => [row.id, row]));
}
