import { z } from 'zod';

/*
 * The part of Meta's webhooks that we read. What names a message must be right, else the item is none; what only
 * decorates it falls away when Meta changes it, so that a new shape never costs a message.
 */

const decoration = <T extends z.ZodType>(schema: T) => schema.optional().catch(undefined);
const text = decoration(z.string());
const flag = decoration(z.boolean());
const id = z.string().min(1);
const loose = decoration(z.record(z.string(), z.unknown()));

const contact = z.object({
  profile: decoration(z.object({ name: text, username: text })),
  wa_id: text,
  user_id: text,
  parent_user_id: text,
});

const context = z.object({
  id: text,
  forwarded: flag,
  frequently_forwarded: flag,
  referred_product: loose,
});

const error = z.object({
  code: z.union([z.number(), z.string()]),
  title: text,
  message: text,
  error_data: decoration(z.object({ details: text })),
});

const message = z.looseObject({
  id,
  type: z.string().default('unsupported'),
  timestamp: z.unknown(),
  from: text,
  from_user_id: text,
  from_parent_user_id: text,
  to: text,
  to_user_id: text,
  group_id: text,
  context: decoration(context),
  referral: loose,
  errors: decoration(z.array(error)),
});

const status = z.object({
  id,
  status: z.string(),
  timestamp: z.unknown(),
  recipient_id: text,
  recipient_user_id: text,
  recipient_participant_id: text,
  errors: decoration(z.array(error)),
  biz_opaque_callback_data: text,
});

const userIdUpdate = z.object({
  user_id: z.object({ previous: id, current: id }),
  timestamp: z.unknown(),
});

const call = z.object({
  id,
  from: text,
  from_user_id: text,
  event: text,
  direction: text,
  timestamp: z.unknown(),
});

const list = z.array(z.unknown()).optional().catch(undefined);

const value = z.object({
  metadata: decoration(z.object({ phone_number_id: id })),
  contacts: decoration(z.array(contact)),
  messages: list,
  message_echoes: list,
  statuses: list,
  user_id_update: z
    .union([z.array(z.unknown()), z.record(z.string(), z.unknown())])
    .optional()
    .catch(undefined),
  calls: list,
});

const change = z.object({ field: z.string().optional().catch(undefined), value });

const webhook = z.object({
  entry: z.array(z.object({ changes: z.array(z.unknown()).catch([]) })).catch([]),
});

export type Value = z.infer<typeof value>;
export type WhatsAppContact = z.infer<typeof contact>;
export type WhatsAppMessage = z.infer<typeof message>;
export type WhatsAppStatus = z.infer<typeof status>;
export type WhatsAppError = z.infer<typeof error>;

/** All changes of a batch, whatever entries they come in; what is none is left out. */
export function changesOf(body: unknown): Value[] | undefined {
  const parsed = webhook.safeParse(body);
  if (!parsed.success) return undefined;
  const changes = parsed.data.entry.flatMap((entry) => entry.changes);
  return changes.flatMap((one) => only(change, [one])).map((one) => one.value);
}

export const messagesOf = (items: Value['messages']) => only(message, items ?? []);
export const statusesOf = ({ statuses }: Value) => only(status, statuses ?? []);
export const callsOf = ({ calls }: Value) => only(call, calls ?? []);

/** Documented as a list, seen as a single one. */
export function userIdUpdatesOf({ user_id_update: updates = [] }: Value) {
  return only(userIdUpdate, Array.isArray(updates) ? updates : [updates]);
}

function only<T>(schema: z.ZodType<T>, items: unknown[]): T[] {
  return items.flatMap((item) => {
    const parsed = schema.safeParse(item);
    return parsed.success ? [parsed.data] : [];
  });
}

const LATEST = 253_402_300_799;

/** Seconds as text, or a number; undefined for what is no time that can be stored. */
export function timeOf(timestamp: unknown): Date | undefined {
  const seconds =
    typeof timestamp === 'string' && /^\d{1,12}$/.test(timestamp) ? Number(timestamp) : timestamp;
  if (typeof seconds !== 'number' || !(seconds > 0 && seconds <= LATEST)) return undefined;
  return new Date(seconds * 1000);
}
