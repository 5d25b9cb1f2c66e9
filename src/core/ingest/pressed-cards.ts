import { readChoiceId } from '../cards.ts';
import type { Sql } from '../database/connect.ts';
import type { Card } from '../envelope.ts';
import type { Item } from './item.ts';

/** A card of ours below which a button was pressed. */
export interface PressedCard {
  id: string;
  channel_id: string;
  conversation_id: string;
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
    select id, channel_id, conversation_id, customer_id, card,
      exists (select 1 from ratings where message_id = messages.id) as is_rating
    from messages
    where id = any(${ids}::uuid[]) and direction = 'outbound' and card is not null`;
  return new Map(rows.map((row) => [row.id, row]));
}
