import type { Sql } from '../database/connect.ts';
import { snapshot } from '../events/snapshot.ts';
import { listMessages } from '../messages.ts';
import type { ConversationRow } from '../views/conversation.ts';
import type { MessageView } from '../views/message.ts';
import { causeOf, loopIn } from './cause.ts';
import type { Facts } from './fields.ts';
import { type Judged, judge } from './judge.ts';
import type { RuleRow } from './rules.ts';
import { isOfMessages, type Trigger } from './triggers.ts';
import { isAwake, waitedSoLong, wasLeftSoLong } from './waited.ts';

export interface Trial {
  /** The message that would have set it going; null for a rule about the conversation itself. */
  message_id: string | null;
  at: Date;
  would_run: boolean;
  conditions: Judged[];
}

const MOST_LINES = 100;

/** What the rule would make of a conversation, message by message where it is about messages. Does nothing. */
export async function dryRun(sql: Sql, rule: RuleRow, conversation: ConversationRow): Promise<Trial[]> {
  const facts = await snapshot(sql, { conversationId: conversation.id });
  const { messages: timeline } = await listMessages(sql, conversation.id, {
    beforeSeq: conversation.last_message_seq + 1,
    limit: MOST_LINES,
    activity: true,
  });
  if (!isOfMessages(rule.trigger)) {
    const whole = trial(rule, facts, { message_id: null, at: conversation.last_message_at });
    return hadOccasion(rule, conversation, timeline) ? [whole] : [];
  }
  return occasionsIn(timeline, rule, conversation).map((message) =>
    trial(rule, { ...facts, message }, { message_id: message.id, at: new Date(message.created_at) }),
  );
}

/** Of what time sets going the timeline tells whether it would have; anything else may still happen. */
function hadOccasion(
  { trigger, after_minutes }: RuleRow,
  conversation: ConversationRow,
  timeline: MessageView[],
): boolean {
  if (trigger !== 'conversation.unassigned_for') return true;
  const isLeft = isAwake(conversation.status) && conversation.assignee_id === null;
  return wasLeftSoLong(timeline, {
    minutes: after_minutes ?? 0,
    since: (timeline[0]?.seq ?? 1) === 1 ? conversation.created_at : undefined,
    until: isLeft ? new Date() : undefined,
  });
}

/** Pure: the messages that have set a rule of its trigger going, or would have. */
function occasionsIn(
  timeline: MessageView[],
  { trigger, after_minutes }: RuleRow,
  conversation: ConversationRow,
): MessageView[] {
  if (trigger === 'conversation.unanswered') {
    const until = isAwake(conversation.status) ? new Date() : undefined;
    return waitedSoLong(timeline, { minutes: after_minutes ?? 0, until });
  }
  const happened = HAPPENED[trigger] ?? (() => true);
  return timeline.filter((message) => message.type !== 'activity' && happened(message));
}

const HAPPENED: Partial<Record<Trigger, (message: MessageView) => boolean>> = {
  'message.received': ({ direction }) => direction === 'inbound',
  'message.created': ({ direction }) => direction !== 'inbound',
  'message.sent': ({ direction, sent_at }) => direction === 'outbound' && sent_at !== null,
  'message.delivered': ({ direction, delivered_at }) => direction === 'outbound' && delivered_at !== null,
  'message.read': ({ direction, read_at }) => direction === 'outbound' && read_at !== null,
  'message.failed': ({ status }) => status === 'failed',
  'message.updated': ({ edited_at, reactions }) => edited_at !== null || reactions.length > 0,
  'message.deleted': ({ deleted_at }) => deleted_at !== null,
};

function trial(rule: RuleRow, facts: Facts, of: Pick<Trial, 'message_id' | 'at'>): Trial {
  const conditions = rule.conditions.map((condition) => judge(condition, facts));
  const cause = causeOf({ caused_by: null, data: { ...facts } });
  const would_run = loopIn(cause, rule.id) === undefined && conditions.every(({ holds }) => holds);
  return { ...of, would_run, conditions };
}
