import type { DueDelivery } from './due.ts';

/** Deliveries that were just committed go straight to the work of their endpoint in this process, if there is one. */
export interface HandOver {
  /** False where nobody takes them: their lane is to be woken, and reads them. */
  give(endpointId: string, deliveries: readonly DueDelivery[]): boolean;
  /** Takes what is given for an endpoint from now on, where `take` says so; returns how to end that. */
  follow(endpointId: string, take: Take): () => void;
}

type Take = (deliveries: readonly DueDelivery[]) => boolean;

/** One for a process: between the fan-out and the lanes. */
export function createHandOver(): HandOver {
  const followers = new Map<string, Take>();
  return {
    give: (endpointId, deliveries) => followers.get(endpointId)?.(deliveries) ?? false,
    follow(endpointId, take) {
      followers.set(endpointId, take);
      return () => {
        // After a lost lease the next work may be under way already.
        if (followers.get(endpointId) === take) followers.delete(endpointId);
      };
    },
  };
}
