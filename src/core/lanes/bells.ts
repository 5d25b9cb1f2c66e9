export interface Bell {
  ring(): void;
  /** Resolves at the next ring. */
  next(): Promise<void>;
}

/** The bells of the lanes that this process works. */
export interface Bells {
  /** Rings for whoever listens to the lane; false when nobody does. */
  ring(key: string | undefined): boolean;
  ringAll(): void;
  listen(key: string, bell: Bell): void;
  unlisten(key: string, bell: Bell): void;
}

/** Lets the work of a lane hear when something new is due in it. */
export function createBells(): Bells {
  const listening = new Map<string, Set<Bell>>();
  return {
    ring(key) {
      const bells = key === undefined ? undefined : listening.get(key);
      for (const bell of bells ?? []) bell.ring();
      return bells !== undefined;
    },
    ringAll() {
      for (const bells of listening.values()) for (const bell of bells) bell.ring();
    },
    listen(key, bell) {
      listening.set(key, (listening.get(key) ?? new Set()).add(bell));
    },
    unlisten(key, bell) {
      const bells = listening.get(key);
      bells?.delete(bell);
      if (bells?.size === 0) listening.delete(key);
    },
  };
}

/** Lets any number of waiters hear each ring. */
export function createBell(): Bell {
  let coming = Promise.withResolvers<void>();
  return {
    ring() {
      coming.resolve();
      coming = Promise.withResolvers();
    },
    next: () => coming.promise,
  };
}
