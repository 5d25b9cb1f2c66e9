import { z } from 'zod';
import type { ErrorCode } from '../core/errors.ts';
import { STATUS_OF_CODE } from './errors.ts';

const ERROR_CODES = Object.keys(STATUS_OF_CODE) as [ErrorCode, ...ErrorCode[]];

const errorEnvelope = z
  .object({
    error: z.looseObject({
      code: z.enum(ERROR_CODES),
      message: z.string(),
      details: z.array(z.object({ field: z.string(), message: z.string() })),
      request_id: z.string(),
    }),
  })
  .meta({ id: 'Error' });

/** A JSON answer of a route. */
export function json<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}

/** The JSON body that a route needs; the example where not all of its fields go together, or one is better left alone. */
export function body<Schema extends z.ZodType>(schema: Schema, example?: z.input<Schema>) {
  return { required: true, content: jsonContent(schema, example) } as const;
}

/** What JSON a body is made of. */
export function jsonContent<Schema extends z.ZodType>(schema: Schema, example: z.input<Schema> | undefined) {
  return { 'application/json': { schema, ...(example === undefined ? {} : { example }) } } as const;
}

/** The refusals that any route may answer, in the envelope of its dialect; spread them into its `responses`. */
export function errorsIn<Envelope extends z.ZodType>(envelope: Envelope) {
  const error = (description: string) => json(description, envelope);
  return {
    400: error('The request cannot be read: unparsable JSON or a cursor that is none.'),
    401: error('The API key is missing, unknown, expired or revoked.'),
    403: error('The role of the key does not allow this.'),
    404: error('Nothing of this business has that id.'),
    409: error('It conflicts with what is there, or the Idempotency-Key was used with another body.'),
    413: error('The body is too large.'),
    422: error('Some fields are not valid; `details` names them.'),
    429: error('Too many requests; wait for `Retry-After` seconds.'),
    500: error('Something went wrong on our side.'),
    503: error('Temporarily unavailable; nothing was changed.'),
  } as const;
}

export const errors = errorsIn(errorEnvelope);
