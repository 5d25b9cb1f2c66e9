import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextAttemptAt, parseRetryAfter, SCHEDULE_MS } from '../../src/webhooks/schedule.ts';

const now = new Date('2026-03-01T10:00:00.000Z');
const DAY_MS = 86_400_000;

function waitMs(tries: number, random: number, retryAfterMs?: number): number | null {
  const next = nextAttemptAt(tries, { now, random, retryAfterMs });
  return next === null ? null : next.getTime() - now.getTime();
}

describe('the schedule', () => {
  it('waits 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h between ten tries', () => {
    const middle = SCHEDULE_MS.slice(1).map((_, index) => waitMs(index + 1, 0.5));
    expect(middle).toEqual(
      [5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400].map((s) => s * 1_000),
    );
    expect(waitMs(10, 0.5)).toBeNull();
    expect(waitMs(99, 0.5)).toBeNull();
  });

  it('spreads by a fifth either way', () => {
    expect(waitMs(2, 0)).toBe(240_000);
    expect(waitMs(2, 0.999_999_999)).toBe(360_000);
  });

  it('is never earlier than the receiver asked, up to a day, nor earlier than planned', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 1e12 }),
        (tries, random, asked) => {
          const wait = waitMs(tries, random, asked) ?? 0;
          expect(wait).toBeGreaterThanOrEqual(Math.min(asked, DAY_MS));
          expect(wait).toBeGreaterThanOrEqual(waitMs(tries, random) ?? 0);
          expect(wait).toBeLessThanOrEqual(DAY_MS * 1.2);
        },
      ),
    );
  });
});

describe('Retry-After', () => {
  it('is read as seconds or as an HTTP date', () => {
    expect(parseRetryAfter('120', now)).toBe(120_000);
    expect(parseRetryAfter(' 0 ', now)).toBe(0);
    expect(parseRetryAfter('1000000000', now)).toBe(1e12);
    expect(parseRetryAfter('Sun, 01 Mar 2026 10:01:00 GMT', now)).toBe(60_000);
  });

  it.each([
    '-5',
    '1e9',
    'soon',
    '',
    'NaN',
    '12 s',
    'Sun, 01 Mar 2026 09:00:00 GMT',
    '2026-03-01T11:00:00Z',
    '1.5',
  ])('is ignored when it says %j', (text) => expect(parseRetryAfter(text, now)).toBeUndefined());

  it('is ignored when it is absent', () => expect(parseRetryAfter(undefined, now)).toBeUndefined());
});
