import { z } from 'zod';
import type { Sql } from '../database/connect.ts';
import { AppError, invalidField } from '../errors.ts';
import { ACTION_TYPES, ACTIONS, type Action, type ActionType } from './actions.ts';
import { fieldNamed, isShownBy } from './fields.ts';
import { OPERATORS, type Scalar, type Value } from './operators.ts';
import { isTimeTrigger, TRIGGERS, type Trigger } from './triggers.ts';

const scalar = z.union([z.string().max(1_000), z.number(), z.boolean(), z.null()]);
const operators = Object.keys(OPERATORS) as [string, ...string[]];

const condition = z
  .strictObject({
    field: z
      .string()
      .max(200)
      .refine((name) => fieldNamed(name) !== undefined, { error: ({ input }) => `${input} is no field` })
      .meta({ description: 'Such as `visitor.plan`; GET /automation-rules/vocabulary lists them.' }),
    operator: z.enum(operators, { error: ({ input }) => `${String(input)} is no operator` }),
    value: z.union([scalar, z.array(scalar).max(100)]).optional(),
  })
  .superRefine(({ operator, value }, context) => {
    const problem = problemOf(OPERATORS[operator]?.takes ?? 'one', value);
    if (problem !== undefined) context.addIssue({ code: 'custom', path: ['value'], message: problem });
  });

export interface Condition {
  field: string;
  operator: string;
  value?: Value | undefined;
}

function problemOf(takes: (typeof OPERATORS)[string]['takes'], value: Value | undefined): string | undefined {
  if (takes === 'nothing') return value === undefined ? undefined : 'goes without this operator';
  if (takes === 'several')
    return Array.isArray(value) && value.length > 0 ? undefined : 'must be a list with something in it';
  if (value === undefined || Array.isArray(value)) return 'must be one value';
  // Nothing at all is a part of every text.
  if (takes === 'text') return value === null || value === '' ? 'must be a text' : undefined;
  return takes === 'one' || isNumeric(value) ? undefined : 'must be a number';
}

function isNumeric(value: Scalar): boolean {
  return typeof value !== 'boolean' && String(value ?? '').trim() !== '' && Number.isFinite(Number(value));
}

const actionShapes = ACTION_TYPES.map((type) => ACTIONS[type].input) as never as [
  z.ZodObject<{ type: z.ZodLiteral<ActionType> }>,
];
const action = z.discriminatedUnion('type', actionShapes, {
  error: ({ input }) => `${nameOf(input)} is no action`,
}) as unknown as z.ZodType<Action>;

function nameOf(input: unknown): string {
  const type = typeof input === 'object' && input !== null && 'type' in input ? input.type : undefined;
  return typeof type === 'string' ? type.slice(0, 100) : 'this';
}

/** What every rule says, whatever the words of a dialect for the rest. */
export const ruleShape = {
  name: z.string().trim().min(1).max(200).nullable(),
  trigger: z.enum(Object.keys(TRIGGERS) as [Trigger, ...Trigger[]], {
    error: ({ input }) => (input === undefined ? 'is required' : `${String(input)} is no trigger`),
  }),
  conditions: z.array(condition).max(50).meta({ description: 'All of them must hold.' }),
  actions: z.array(action).min(1).max(20).meta({ description: 'Done in this order.' }),
};

/** The minutes of a rule that time sets going. */
export const afterMinutes = z.number().int().min(1).max(525_600).nullable();

export interface RuleFields {
  name: string | null;
  trigger: Trigger;
  after_minutes: number | null;
  conditions: Condition[];
  actions: Action[];
  is_active: boolean;
}

/** What a request says of a rule; what it leaves out stays as it was, and is the default in a new one. */
export type RuleInput = { [Key in keyof RuleFields]?: RuleFields[Key] | undefined };

/** A rule with some of its fields changed. */
export function withChanges(before: RuleFields, input: RuleInput): RuleFields {
  const {
    name = before.name,
    trigger = before.trigger,
    after_minutes = before.after_minutes,
    conditions = before.conditions,
    actions = before.actions,
    is_active = before.is_active,
  } = input;
  return { name, trigger, after_minutes, conditions, actions, is_active };
}

/** Refuses what its shape does not show: minutes and fields that do not go with the trigger, somebody else's agents. */
export async function checkRule(sql: Sql, businessId: string, rule: RuleFields): Promise<void> {
  if (isTimeTrigger(rule.trigger) !== (rule.after_minutes !== null)) {
    throw invalidField(
      'after_minutes',
      rule.after_minutes === null ? 'is needed with this trigger' : 'goes with time triggers only',
    );
  }
  for (const [n, { field }] of rule.conditions.entries()) {
    if (!isShownBy(rule.trigger, field))
      throw invalidField(`conditions.${n}.field`, `is nothing that ${rule.trigger} shows: ${field}`);
  }
  for (const [n, one] of rule.actions.entries()) {
    await ACTIONS[one.type].check(sql, businessId, one).catch((error: unknown) => {
      throw error instanceof AppError ? below(`actions.${n}`, error) : error;
    });
  }
}

/** The refusal of an action's field, named as the request names it. */
function below(path: string, error: AppError): AppError {
  const details = error.details.map(({ field, message }) => ({ field: `${path}.${field}`, message }));
  const message = details.map((one) => `${one.field}: ${one.message}`).join('; ');
  return new AppError(error.code, message, { details, cause: error });
}
