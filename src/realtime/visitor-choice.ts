import { choiceAt } from '../core/cards.ts';
import type { Sql } from '../core/database/connect.ts';
import type { Card } from '../core/envelope.ts';
import { invalidField } from '../core/errors.ts';
import { isUuid } from '../core/id.ts';
import type { ClientMessage } from './protocol.ts';
import { isOwn, type Visitor } from './visitor-conversations.ts';

/** Where a pressed button is all that a message says, it has to be one that this visitor was shown. */
export async function refuseUnknownChoice(
  sql: Sql,
  visitor: Visitor,
  { content, attachments = [], choice }: ClientMessage,
): Promise<void> {
  if (choice === undefined || content.trim() !== '' || attachments.length > 0) return;
  const card = await findOwnCard(sql, visitor, choice.message_id);
  if (card === undefined || choiceAt(choice.message_id, card, choice.number) === undefined)
    throw invalidField('choice', 'is no choice of a card of yours');
}

async function findOwnCard(sql: Sql, visitor: Visitor, id: string): Promise<Card | undefined> {
  if (!isUuid(id)) return undefined;
  const [row] = await sql<{ card: Card }[]>`
    select m.card from messages m join conversations c on c.id = m.conversation_id
    where m.id = ${id} and m.direction = 'outbound' and m.card is not null and ${isOwn(sql, visitor)}`;
  return row?.card;
}
