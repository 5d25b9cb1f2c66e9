export interface Doorbell {
  ring(): void;
  /** Resolves at the next ring, at once if it rang since the last wait, or after this long. */
  wait(timeoutMs: number | undefined): Promise<void>;
}

/** Lets one loop wait for whatever happens next; a ring while nobody waits is kept. */
export function createDoorbell(): Doorbell {
  let rang = false;
  let open: (() => void) | undefined;
  return {
    ring() {
      rang = true;
      open?.();
    },
    async wait(timeoutMs) {
      if (!rang) {
        await new Promise<void>((resolve) => {
          const timer = timeoutMs === undefined ? undefined : setTimeout(resolve, timeoutMs);
          open = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      open = undefined;
      rang = false;
    },
  };
}
