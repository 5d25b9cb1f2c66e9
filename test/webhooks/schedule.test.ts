import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readConfig } from '../../src/core/config.ts';
import { nextAttemptAt, parseRetryAfter, type Schedule } from '../../src/webhooks/schedule.ts';

const now = new Date('2026-03-01T10:00:00.000Z');
const DAY_MS = 86_400_000;

const USUAL: Schedule = readConfig({}).webhooks;

interface Waiting {
  retryAfterMs?: number;
  schedule?: Schedule;
}

function waitMs(tries: number, random: number, { retryAfterMs, schedule = USUAL }: Waiting = {}) {
  const next = nextAttemptAt(tries, { schedule, now, random, retryAfterMs });
  return next === null ? null : next.getTime() - now.getTime();
}

describe('the schedule', () => {
  it('waits 5 s, 5 m, 30 m, 2 h, 5 h, 10 h, 14 h, 20 h and 24 h between ten tries', () => {
    const middle = USUAL.scheduleMs.map((_, index) => waitMs(index + 1, 0.5));
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

  it('is configuration, its jitter too', () => {
    const schedule = readConfig({ WEBHOOK_SCHEDULE: '1s, 2m,500ms', WEBHOOK_JITTER: '0.5' }).webhooks;
    expect([1, 2, 3, 4].map((tries) => waitMs(tries, 0.5, { schedule }))).toEqual([
      1_000,
      120_000,
      500,
      null,
    ]);
    expect(waitMs(1, 0, { schedule })).toBe(500);
    expect(() => readConfig({ WEBHOOK_SCHEDULE: 'soon' })).toThrow(/WEBHOOK_SCHEDULE/);
  });

  it('is never earlier than the receiver asked, up to a day, nor earlier than planned', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        fc.integer({ min: 0, max: 1e12 }),
        (tries, random, asked) => {
          const wait = waitMs(tries, random, { retryAfterMs: asked }) ?? 0;
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
