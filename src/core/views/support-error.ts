import { z } from 'zod';
import type { AppError } from '../errors.ts';

export const supportErrorView = z
  .object({
    success: z.literal(false),
    error: z.object({
      code: z.string().meta({ description: 'As in the native dialect, in capitals.' }),
      message: z.string(),
      details: z.looseObject({
        fields: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
        retryAfter: z.number().optional().meta({ description: 'Seconds.' }),
        requestId: z.string().optional(),
      }),
    }),
  })
  .meta({ id: 'SupportError' });
export type SupportError = z.infer<typeof supportErrorView>;

/** A refusal in the second dialect's envelope and with its names. */
export function viewSupportError(error: AppError, requestId?: string): SupportError {
  const fields = error.details.map(({ field, message }) => ({ field: nameInSupport(field), message }));
  const extra = Object.entries(error.extra).map(([name, value]) => [nameInSupport(name), value]);
  return {
    success: false,
    error: {
      code: error.code.toUpperCase(),
      message: messageOf(error),
      details: {
        ...Object.fromEntries(extra),
        ...(fields.length === 0 ? {} : { fields }),
        ...(error.retryAfterSeconds === undefined ? {} : { retryAfter: Math.ceil(error.retryAfterSeconds) }),
        ...(requestId === undefined ? {} : { requestId }),
      },
    },
  };
}

const RENAMED: Record<string, string> = {
  channel_id: 'inboxId',
  customer_id: 'visitorId',
  snoozed_until: 'until',
  // A card stands where its text would.
  card: 'content',
};

function nameInSupport(name: string): string {
  return RENAMED[name] ?? name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** A message that begins with the field's own name begins with the name it has here. */
function messageOf({ message, details: [first] }: AppError): string {
  if (first === undefined || !message.startsWith(`${first.field}: `)) return message;
  return nameInSupport(first.field) + message.slice(first.field.length);
}
