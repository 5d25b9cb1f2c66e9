import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createPace } from '../../src/core/events/pace.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function turn(pace: ReturnType<typeof createPace>, ms: number, { moreHappens = true, hasMore = true } = {}) {
  pace.beginTurn();
  if (moreHappens) pace.noteEvents();
  vi.advanceTimersByTime(ms);
  return pace.restMs(hasMore);
}

describe('a reader that nobody waits for', () => {
  it('rests for a multiple of its turn while more happens, but no longer than a second', () => {
    const pace = createPace(20);
    expect([turn(pace, 10), turn(pace, 100)]).toEqual([200, 1_000]);
  });

  it('goes on soon where nothing happens meanwhile', () => {
    expect(turn(createPace(20), 100, { moreHappens: false })).toBe(50);
  });

  it('takes its share once it has been behind for half a minute, until it is at the end', () => {
    const pace = createPace(20);
    vi.advanceTimersByTime(30_000);
    expect(turn(pace, 10)).toBe(50);
    turn(pace, 10, { hasMore: false });
    expect(turn(pace, 10)).toBe(200);
  });
});
