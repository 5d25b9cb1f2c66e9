import { z } from 'zod';
import type { EventData } from '../core/events.ts';

const value = z.union([z.string().max(200), z.number(), z.boolean(), z.null()]);
type Value = z.infer<typeof value>;

/** Paths into an event's data, each with the value, or the values, that it must have there. */
export const filterSchema = z
  .record(
    z.string().regex(/^[a-z_]+(\.[A-Za-z0-9_-]+){0,5}$/, 'must be a path such as message.sender_type'),
    z.union([value, z.array(value).min(1).max(50)]),
  )
  .refine((filter) => Object.keys(filter).length <= 10, 'must have 10 paths at most');
export type Filter = z.infer<typeof filterSchema>;

/** Pure: whether the data has one of the wanted values at every path. */
export function matches(filter: Filter | null, data: EventData): boolean {
  return Object.entries(filter ?? {}).every(([path, wanted]) => {
    const found = valueAt(data, path.split('.'));
    // A list, such as tags, has what it contains.
    const values = Array.isArray(found) ? found : [found];
    const all: readonly Value[] = Array.isArray(wanted) ? wanted : [wanted];
    return values.some((one) => all.includes(one as Value));
  });
}

function valueAt(tree: unknown, path: readonly string[]): unknown {
  let node = tree;
  for (const key of path) {
    if (typeof node !== 'object' || node === null) return null;
    node = Object.hasOwn(node, key) ? (node as Record<string, unknown>)[key] : null;
  }
  return node ?? null;
}
