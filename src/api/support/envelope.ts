import { z } from 'zod';
import { supportErrorView } from '../../core/views/support-error.ts';
import { errorsIn, json } from '../openapi.ts';

export const tags = ['Support dialect'];

/** The refusals of any route of this dialect. */
export const errors = errorsIn(supportErrorView);

/** An answer of a route of this dialect. */
export function succeeds<Schema extends z.ZodType>(description: string, data: Schema) {
  return json(description, z.object({ success: z.literal(true), data }));
}

/** What went well, in the envelope that says so. */
export function success<Data>(data: Data): { success: true; data: Data } {
  return { success: true, data };
}
