/** How fast a reader goes through the events. */
export interface Pace {
  beginTurn(): void;
  /** Events were placed. */
  noteEvents(): void;
  /** How long to rest after the turn that ends now. */
  restMs(hasMore: boolean): number;
}

// Under load fewer and larger batches: whoever reads on from where it stood finds all of them.
const SHORTEST_REST_MS = 50;
const LONGEST_REST_MS = 1_000;
const LONGEST_BEHIND_MS = 30_000;

/**
 * Lets a reader rest, while more happens, for a multiple of each turn: those who write go before what nobody waits for. One that has
 * been behind for half a minute takes its share.
 */
export function createPace(rest: number): Pace {
  let begunAt = performance.now();
  let wasAtEndAt = begunAt;
  let moreHappens = false;
  return {
    beginTurn() {
      begunAt = performance.now();
      moreHappens = false;
    },
    noteEvents() {
      moreHappens = true;
    },
    restMs(hasMore) {
      const now = performance.now();
      if (!hasMore) wasAtEndAt = now;
      if (!moreHappens || now - wasAtEndAt > LONGEST_BEHIND_MS) return SHORTEST_REST_MS;
      return Math.min(Math.max(rest * (now - begunAt), SHORTEST_REST_MS), LONGEST_REST_MS);
    },
  };
}
