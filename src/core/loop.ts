interface LoopOptions {
  /** The poll under every wake-up: a lost one delays by this much and no more. */
  everyMs: number;
  /** Does what is due; true when there is more to do at once. */
  turn(): Promise<boolean>;
  onError(error: unknown): void;
}

export interface Loop {
  /** Runs a turn soon, at once when idle; wake-ups during a turn lead to one more. */
  wake(): void;
  /** Resolves when the turn under way has ended. */
  stop(): Promise<void>;
}

/** One turn at a time, woken or polled, until stopped. */
export function loop({ everyMs, turn, onError }: LoopOptions): Loop {
  let stopped = false;
  let woken = false;
  let running: Promise<void> | undefined;
  const timer = setInterval(wake, everyMs);
  wake();

  function wake(): void {
    woken = true;
    if (running === undefined && !stopped) running = run();
  }

  async function run(): Promise<void> {
    while (woken && !stopped) {
      woken = false;
      try {
        if (await turn()) woken = true;
      } catch (error) {
        // The next poll tries again: at once would spin while the database is away.
        onError(error);
        break;
      }
    }
    running = undefined;
  }

  return {
    wake,
    async stop() {
      stopped = true;
      clearInterval(timer);
      await running;
    },
  };
}
