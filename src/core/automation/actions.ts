import { z } from 'zod';
import { mayAnswerAutomatically } from '../automatic.ts';
import { requestHandoff } from '../conversations/handoff.ts';
import { changeStatus, snooze } from '../conversations/lifecycle.ts';
import { changeTags, patchConversation } from '../conversations/triage.ts';
import { lockCustomer, updateCustomer } from '../customers.ts';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { isUuid } from '../id.ts';
import type { Author } from '../messages/author.ts';
import { queueMessage, type Writing } from '../messages/queue-message.ts';
import { checkPlaceholders, fillIn, valuesOf } from '../placeholders.ts';
import { assign, isAssignee, unassign } from '../team/assign.ts';
import { type ConversationRow, PRIORITIES } from '../views/conversation.ts';

/** What an action works on, and with. */
export interface Stage {
  /** Locked. */
  conversation: ConversationRow;
  by: Author;
  writing: Omit<Writing, 'by'>;
}

interface ActionKind<Input extends z.ZodType> {
  about: string;
  input: Input;
  /** Refuses what the shape alone does not show, naming the field below the action. */
  check?(sql: Sql, businessId: string, input: z.infer<Input>): Promise<void> | void;
  run(tx: Sql, stage: Stage, input: z.infer<Input>): Promise<unknown>;
}

const text = z.string().trim().min(1).max(10_000);
const tag = z.string().trim().min(1).max(100);
const attribute = {
  name: z.string().min(1).max(100),
  value: z
    .union([z.string().max(1_000), z.number(), z.boolean(), z.null()])
    .meta({ description: 'Null takes it away.' }),
};

/** Each thing that a rule may do. */
export const ACTIONS = {
  assign: action({
    about: 'Gives the conversation to an agent or a team',
    input: z.strictObject({
      type: z.literal('assign'),
      assigneeId: z.string().toLowerCase().refine(isUuid, 'must be the id of an agent or a team'),
    }),
    async check(sql, businessId, { assigneeId }) {
      if (!(await isAssignee(sql, businessId, assigneeId)))
        throw invalidField('assigneeId', 'is not an active agent or a team of your business');
    },
    run: (tx, { conversation, by }, { assigneeId }) => assign(tx, conversation, { assigneeId, by }),
  }),
  unassign: action({
    about: 'Takes it from whoever has it',
    input: z.strictObject({ type: z.literal('unassign') }),
    run: (tx, { conversation, by }) => unassign(tx, conversation, { by }),
  }),
  addTag: action({
    about: 'Adds a tag',
    input: z.strictObject({ type: z.literal('addTag'), tag }),
    run: (tx, { conversation, by }, input) => changeTags(tx, conversation, { add: [input.tag], by }),
  }),
  removeTag: action({
    about: 'Removes a tag',
    input: z.strictObject({ type: z.literal('removeTag'), tag }),
    run: (tx, { conversation, by }, input) => changeTags(tx, conversation, { remove: [input.tag], by }),
  }),
  reply: action({
    about: 'Writes to the customer, variables filled in; never in answer to a mail that a program wrote',
    input: z.strictObject({ type: z.literal('reply'), message: text }),
    check: (_sql, _businessId, { message }) => checkPlaceholders(message, 'message'),
    run: (tx, stage, { message }) => write(tx, stage, { message, note: false }),
  }),
  note: action({
    about: 'Writes a note to the team, variables filled in',
    input: z.strictObject({ type: z.literal('note'), message: text }),
    check: (_sql, _businessId, { message }) => checkPlaceholders(message, 'message'),
    run: (tx, stage, { message }) => write(tx, stage, { message, note: true }),
  }),
  setStatus: action({
    about: 'Sets the status: open, pending, resolved or closed',
    input: z.strictObject({
      type: z.literal('setStatus'),
      status: z.enum(['open', 'pending', 'resolved', 'closed']),
    }),
    run: (tx, { conversation, by }, { status }) => changeStatus(tx, conversation, { to: status, by }),
  }),
  snooze: action({
    about: 'Puts it off for so many minutes',
    input: z.strictObject({ type: z.literal('snooze'), minutes: z.number().int().min(1).max(525_600) }),
    run: (tx, { conversation, by }, { minutes }) =>
      snooze(tx, conversation, { until: new Date(Date.now() + minutes * 60_000), by }),
  }),
  setPriority: action({
    about: 'Sets the priority: low, normal, high, urgent or null',
    input: z.strictObject({ type: z.literal('setPriority'), priority: z.enum(PRIORITIES).nullable() }),
    run: (tx, { conversation, by }, { priority }) =>
      patchConversation(tx, conversation, { patch: { priority }, by }),
  }),
  setAttribute: action({
    about: 'Sets a custom attribute of the conversation',
    input: z.strictObject({ type: z.literal('setAttribute'), ...attribute }),
    run: (tx, { conversation, by }, { name, value }) =>
      patchConversation(tx, conversation, { patch: { customAttributes: { [name]: value } }, by }),
  }),
  setVisitorAttribute: action({
    about: 'Sets a custom attribute of the customer',
    input: z.strictObject({ type: z.literal('setVisitorAttribute'), ...attribute }),
    run: setVisitorAttribute,
  }),
  handoff: action({
    about: 'Asks for a person to take over',
    input: z.strictObject({
      type: z.literal('handoff'),
      reason: z.string().trim().max(500).nullable().default(null),
    }),
    run: (tx, { conversation, by }, { reason }) =>
      requestHandoff(tx, conversation, { reason: reason || null, by }),
  }),
  stop: action({
    about: 'Lets no later rule of the business run for the same event',
    input: z.strictObject({ type: z.literal('stop') }),
    run: async () => undefined,
  }),
} as const;

export type ActionType = keyof typeof ACTIONS;
export const ACTION_TYPES = Object.keys(ACTIONS) as [ActionType, ...ActionType[]];
export type Action = { type: ActionType } & Record<string, unknown>;

/** One that runs itself: its own input typed inside, any action outside. */
function action<Input extends z.ZodType>({ about, input, check, run }: ActionKind<Input>) {
  return {
    about,
    input: input as z.ZodType<Action>,
    async check(sql: Sql, businessId: string, given: Action): Promise<void> {
      await check?.(sql, businessId, given as z.infer<Input>);
    },
    async run(tx: Sql, stage: Stage, given: Action): Promise<void> {
      await run(tx, stage, given as z.infer<Input>);
    },
  };
}

async function write(
  tx: Sql,
  { conversation, by, writing }: Stage,
  { message, note }: { message: string; note: boolean },
): Promise<void> {
  if (!note && !(await mayAnswerAutomatically(tx, conversation.id)))
    throw new AppError(
      'conflict',
      'It would answer a mail that a program wrote, or one that wants no automatic answer.',
    );
  const { text: content } = fillIn(message, await valuesOf(tx, conversation, by));
  if (content.trim() === '')
    throw new AppError('conflict', 'Nothing is left to say once its variables are filled in.');
  await queueMessage(tx, conversation, { draft: { content, note }, ...writing, by });
}

async function setVisitorAttribute(
  tx: Sql,
  { conversation, by }: Stage,
  { name, value }: { name: string; value: unknown },
): Promise<void> {
  const { business_id, customer_id } = conversation;
  if (customer_id === null) throw new AppError('conflict', 'The conversation has no customer.');
  const customer = await lockCustomer(tx, business_id, customer_id);
  await updateCustomer(tx, customer, {
    custom_attributes: { [name]: value },
    ...(by.causedBy === undefined ? {} : { causedBy: by.causedBy }),
  });
}
