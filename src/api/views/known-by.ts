import { z } from 'zod';
import type { KnownBy } from '../../core/customers/list-customers.ts';

/** Parameters of lists by which somebody is found for certain. */
export const knownByQuery = {
  email: z.string().optional().meta({ description: 'Any of their emails, however it is capitalised.' }),
  phone: z.string().optional().meta({ description: 'Any of their phones, however it is written.' }),
  external_id: z.string().optional().meta({ description: 'The id that you gave the customer.' }),
  address: z
    .string()
    .optional()
    .meta({ description: 'Their address on a channel: a chat id, a number, a visitor.' }),
};

/** What of a query says who is meant. */
export function knownByOf(query: z.infer<z.ZodObject<typeof knownByQuery>>): KnownBy {
  const { email, phone, external_id: externalId, address } = query;
  return { email, phone, externalId, address };
}
