import { setTimeout as sleep } from 'node:timers/promises';

/** Room for so many at a time of what takes much memory, or must not be done twice at once. */
export interface Slots {
  /** Waits for a place; resolves with how it is given back. */
  take(): Promise<GiveBack>;
  /** The same, but undefined where none came free in time. */
  takeWithin(ms: number): Promise<GiveBack | undefined>;
}

type GiveBack = () => void;

/** So many places, given in the order they were asked for. */
export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  async function take(): Promise<GiveBack> {
    if (free > 0) free -= 1;
    else await new Promise<void>((resolve) => waiting.push(resolve));
    let isHeld = true;
    return () => {
      if (isHeld) giveBack();
      isHeld = false;
    };
  }

  function giveBack(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    take,
    async takeWithin(ms) {
      if (free > 0) return take();
      const taking = take();
      const inTime = await Promise.race([taking, sleep(ms, undefined, { ref: false })]);
      // It still stands in the queue: what it gets is for the next.
      if (inTime === undefined) void taking.then((give) => give());
      return inTime;
    },
  };
}
