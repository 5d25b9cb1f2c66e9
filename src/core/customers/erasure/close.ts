import { changeConversation, sentence } from '../../conversations/change-conversation.ts';
import { statusEvents } from '../../conversations/lifecycle.ts';
import type { Sql } from '../../database/connect.ts';
import type { Author } from '../../messages/author.ts';
import type { ConversationRow } from '../../views/conversation.ts';
import type { Person } from './person.ts';

/** What an event tells of why it happened: by it the sweep knows which ones to keep. */
export function causeOf({ customers }: Person): Record<string, unknown> {
  return { erasure: customers };
}

/** Closes what is still open with the person, once it is blank. */
export async function closeConversations(tx: Sql, person: Person, by: Author): Promise<void> {
  const rows = await tx<ConversationRow[]>`
    select * from conversations
    where id = any(${person.conversations}) and status <> 'closed' and created_at < ${person.until} order by id`;
  for (const row of rows) {
    await changeConversation(tx, row, {
      by,
      set: { status: 'closed', snoozed_until: null, closed_at: new Date() },
      activity: {
        content: sentence('The customer was erased', by),
        metadata: { activity: 'closed', from: row.status, to: 'closed' },
      },
      events: statusEvents(row.status, 'closed'),
      facts: { previous_status: row.status },
      causedBy: causeOf(person),
    });
  }
}
