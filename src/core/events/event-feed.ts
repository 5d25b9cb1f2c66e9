import type { EventRow, Position } from '../events.ts';

/** Events that this process has placed, handed to its own readers: who stands right before them need not read them. */
export interface EventFeed {
  give(events: EventRow[]): void;
  /** What is given from now on, kept until it is taken. */
  follow(): FedEvents;
}

export interface FedEvents {
  /** The events that follow the position without a gap; none where something else may lie between. */
  take(after: Position, limit: number): EventRow[];
  stop(): void;
}

// A reader that is this far behind reads from the database again.
const KEPT = 2_000;

/** One feed a process. */
export function createEventFeed(): EventFeed {
  const followers = new Set<EventRow[]>();
  return {
    give(events) {
      for (const kept of followers) {
        if (kept.length > KEPT) kept.length = 0;
        kept.push(...events);
      }
    },
    follow() {
      const kept: EventRow[] = [];
      followers.add(kept);
      return {
        take: (after, limit) => takeFollowing(kept, after.seq, limit),
        stop: () => followers.delete(kept),
      };
    },
  };
}

function takeFollowing(kept: EventRow[], seq: number, limit: number): EventRow[] {
  const ahead = kept.findIndex((event) => event.seq > seq);
  kept.splice(0, ahead === -1 ? kept.length : ahead);
  let count = 0;
  while (count < limit && kept[count]?.seq === seq + count + 1) count += 1;
  return kept.splice(0, count);
}
