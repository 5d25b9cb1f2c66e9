// Starts may come this early, so that a fast pace needs no timer per delivery.
const BURST_MS = 100;

export interface Pace {
  /** How many deliveries may start now; counts them as started. */
  take(wanted: number, nowMs: number): number;
  /** How long until the next may start. */
  waitMs(nowMs: number): number;
}

interface Paced {
  id: string;
  rate_limit: number | null;
}

/** The pace of each endpoint, kept between two works of its lane, so that waking it does not start the count anew. */
export function createPaces(): (endpoint: Paced) => Pace {
  const limited = new Map<string, { perSecond: number; pace: Pace }>();
  return ({ id, rate_limit: perSecond }) => {
    const known = limited.get(id);
    if (known !== undefined && known.perSecond === perSecond) return known.pace;
    const pace = createPace(perSecond);
    if (perSecond === null) limited.delete(id);
    else limited.set(id, { perSecond, pace });
    return pace;
  };
}

/** Keeps an endpoint's deliveries at so many a second; without a limit everything may start. */
function createPace(perSecond: number | null): Pace {
  if (perSecond === null) return { take: (wanted) => wanted, waitMs: () => 0 };
  const intervalMs = 1_000 / perSecond;
  const burstMs = Math.max(BURST_MS, intervalMs);
  // When the next one is due if all came evenly spaced.
  let evenlyMs = 0;

  function waitMs(nowMs: number): number {
    return Math.max(0, evenlyMs + intervalMs - burstMs - nowMs);
  }

  return {
    waitMs,
    take(wanted, nowMs) {
      evenlyMs = Math.max(evenlyMs, nowMs);
      let taken = 0;
      while (taken < wanted && waitMs(nowMs) === 0) {
        evenlyMs += intervalMs;
        taken += 1;
      }
      return taken;
    },
  };
}
