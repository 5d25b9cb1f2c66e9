import { expect } from 'vitest';

/**
 * Fails unless the answer has everything that a documented sample prints, and each of the same kind. It may have more,
 * and where the sample prints null anything may stand.
 */
export function expectAsPrinted(answer: unknown, printed: unknown, at = 'answer'): void {
  expect(answer, at).not.toBeUndefined();
  if (printed === null) return;
  expect([at, kindOf(answer)]).toEqual([at, kindOf(printed)]);
  if (typeof printed !== 'object') return;
  for (const [name, value] of Object.entries(printed)) {
    expectAsPrinted((answer as Record<string, unknown>)[name], value, `${at}.${name}`);
  }
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)) return 'time';
  return value === null ? 'null' : typeof value;
}
