/** Room for so many at a time of what takes much memory. */
export interface Slots {
  /** Waits for a place; resolves with how it is given back. */
  take(): Promise<() => void>;
}

/** So many places, given in the order they were asked for. */
export function createSlots(count: number): Slots {
  const waiting: (() => void)[] = [];
  let free = count;

  function giveBack(): void {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  }

  return {
    async take() {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => waiting.push(resolve));
      let isHeld = true;
      return () => {
        if (isHeld) giveBack();
        isHeld = false;
      };
    },
  };
}
