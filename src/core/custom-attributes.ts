import { invalidField } from './errors.ts';

// Every event carries them.
const MOST_ATTRIBUTE_CHARACTERS = 50_000;

/** Custom attributes with others merged in; null takes one away. Refuses what grows too large by many small changes. */
export function mergeAttributes(before: Record<string, unknown>, changes: Record<string, unknown>) {
  const merged = Object.fromEntries(
    Object.entries({ ...before, ...changes }).filter(([, value]) => value !== null),
  );
  const length = JSON.stringify(merged).length;
  if (length > MOST_ATTRIBUTE_CHARACTERS && length > JSON.stringify(before).length)
    throw invalidField('custom_attributes', `are over ${MOST_ATTRIBUTE_CHARACTERS} characters together`);
  return merged;
}
