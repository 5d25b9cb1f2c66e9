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

const whole = z.number().int();

/** An answer with a page of a list. */
export function succeedsPage<Schema extends z.ZodType>(description: string, item: Schema) {
  const meta = z.object({ page: whole, limit: whole, total: whole, hasMore: z.boolean() });
  return json(description, z.object({ success: z.literal(true), data: z.array(item), meta }));
}

interface Page {
  page: number;
  limit: number;
  /** Of all pages. */
  total: number;
}

/** A page of a list, which says whether there are more. */
export function successPage<Item>(data: Item[], { page, limit, total }: Page) {
  return {
    ...success(data),
    meta: { page, limit, total, hasMore: (page - 1) * limit + data.length < total },
  };
}

/** What went well, in the envelope that says so. */
export function success<Data>(data: Data): { success: true; data: Data } {
  return { success: true, data };
}
