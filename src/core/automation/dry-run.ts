import type { Sql } from '../database/connect.ts';
import { snapshot } from '../events/snapshot.ts';
import { listMessages } from '../messages.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { Facts } from './fields.ts';
import { type Judged, judge } from './judge.ts';
import type { RuleRow } from './rules.ts';

export interface Trial {
  /** The message that would have set it going; null for a rule about the conversation itself. */
  message_id: string | null;
  at: Date;
  would_run: boolean;
  conditions: Judged[];
}

const MOST_MESSAGES = 100;

/** What the rule would make of a conversation, message by message where it is about messages. Does nothing. */
export async function dryRun(sql: Sql, rule: RuleRow, conversation: ConversationRow): Promise<Trial[]> {
  const facts = await snapshot(sql, { conversationId: conversation.id });
  if (!rule.trigger.startsWith('message.'))
    return [trial(rule, facts, { message_id: null, at: conversation.last_message_at })];
  const { messages } = await listMessages(sql, conversation.id, {
    beforeSeq: conversation.last_message_seq + 1,
    limit: MOST_MESSAGES,
  });
  const isOfCustomers = rule.trigger === 'message.received';
  return messages
    .filter(
      ({ direction }) => rule.trigger === 'message.updated' || (direction === 'inbound') === isOfCustomers,
    )
    .map((message) =>
      trial(rule, { ...facts, message }, { message_id: message.id, at: new Date(message.created_at) }),
    );
}

function trial(rule: RuleRow, facts: Facts, of: Pick<Trial, 'message_id' | 'at'>): Trial {
  const conditions = rule.conditions.map((condition) => judge(condition, facts));
  return { ...of, would_run: conditions.every(({ holds }) => holds), conditions };
}
