import { caseless, plainQuotes } from '../letters.ts';

export type Scalar = string | number | boolean | null;
export type Value = Scalar | Scalar[];

interface Operator {
  about: string;
  /** What stands beside it. */
  takes: 'one' | 'text' | 'several' | 'number' | 'nothing';
  holds(actual: unknown, value: Value): boolean;
}

/** Each way to compare. None of them is a pattern: no value takes longer to compare than it is long. */
export const OPERATORS: Record<string, Operator> = {
  equals: { about: 'is exactly this; of tags, one of them is', takes: 'one', holds: equals },
  notEquals: { about: 'is not this', takes: 'one', holds: (actual, value) => !equals(actual, value) },
  contains: {
    about: 'has this in it, whatever the capitals and line ends; of tags, one of them is',
    takes: 'text',
    holds: contains,
  },
  notContains: {
    about: 'does not have this in it',
    takes: 'text',
    holds: (actual, value) => !contains(actual, value),
  },
  startsWith: {
    about: 'begins with this, whatever the capitals',
    takes: 'text',
    holds: (actual, value) => text(actual).startsWith(text(value)) && isThere(actual),
  },
  endsWith: {
    about: 'ends with this, whatever the capitals',
    takes: 'text',
    holds: (actual, value) => text(actual).endsWith(text(value)) && isThere(actual),
  },
  in: { about: 'is one of these', takes: 'several', holds: isOneOf },
  notIn: { about: 'is none of these', takes: 'several', holds: (actual, value) => !isOneOf(actual, value) },
  greaterThan: {
    about: 'is a number above this',
    takes: 'number',
    holds: (actual, value) => number(actual) > number(value),
  },
  lessThan: {
    about: 'is a number below this',
    takes: 'number',
    holds: (actual, value) => number(actual) < number(value),
  },
  exists: { about: 'is there', takes: 'nothing', holds: isThere },
  notExists: { about: 'is not there', takes: 'nothing', holds: (actual) => !isThere(actual) },
};

/** Attributes come as text from some channels and as numbers from others: 3 is "3". */
function equals(actual: unknown, value: Value): boolean {
  if (Array.isArray(actual) && isThere(actual)) return actual.some((one) => equals(one, value));
  if (!isThere(actual) || value === null) return !isThere(actual) && value === null;
  return typeof actual !== 'object' && isSame(String(actual), String(value));
}

/** Letter by letter at first: that is quick, and mostly tells. */
function isSame(one: string, other: string): boolean {
  return one === other || one.normalize() === other.normalize();
}

function contains(actual: unknown, value: Value): boolean {
  if (Array.isArray(actual)) return actual.some((one) => text(one) === text(value));
  return isThere(actual) && text(actual).includes(text(value));
}

function isOneOf(actual: unknown, value: Value): boolean {
  return Array.isArray(value) && value.some((one) => equals(actual, one));
}

function isThere(actual: unknown): boolean {
  if (Array.isArray(actual)) return actual.length > 0;
  return actual !== undefined && actual !== null && actual !== '';
}

// Without these, as most texts are, only capitals tell two apart.
const UNPLAIN = /[^ -_a-~]| {2}/;

/** As people mean it: keyboards and mail programs differ in capitals, accents, quotes, spaces and where a line ends. */
function text(value: unknown): string {
  if (!['string', 'number', 'boolean'].includes(typeof value)) return '';
  const whole = String(value);
  if (whole.length <= LONG) return likened(whole);
  if (whole !== newest.whole) newest = { whole, likened: likened(whole) };
  return newest.likened;
}

// Longer than any value: a mail, say, that the rules of a business look into one after the other.
const LONG = 1_000;
let newest = { whole: '', likened: '' };

function likened(whole: string): string {
  if (!UNPLAIN.test(whole)) return whole.toLowerCase();
  return caseless(plainQuotes(whole).normalize('NFKC'))
    .replaceAll(/[\u00ad\u200b\u2060\ufeff]/g, '')
    .replaceAll(/\s+/g, ' ');
}

function number(value: unknown): number {
  const isNumeric = typeof value === 'number' || (typeof value === 'string' && value.trim() !== '');
  return isNumeric ? Number(value) : Number.NaN;
}
