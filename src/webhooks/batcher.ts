import { setTimeout as sleep } from 'node:timers/promises';

/** Writes items together, for whoever need not wait until they are written. */
export interface Batcher<T> {
  add(item: T): void;
  /** Items that are not stored yet. */
  readonly size: number;
}

const RETRY_WRITE_MS = [100, 200, 400, 800, 1_600, 3_200];

interface BatcherOptions<T> {
  write(items: T[]): Promise<void>;
  /** What comes until it resolves is written together. */
  gather(): Promise<unknown>;
  onWritten(): void;
  onFailure(error: unknown): void;
}

/** Items that come in while a write is under way share the next one. A write that fails is repeated while that may help. */
export function createBatcher<T>({ write, gather, onWritten, onFailure }: BatcherOptions<T>): Batcher<T> {
  let waiting: T[] = [];
  let writing = 0;

  async function drain(): Promise<void> {
    while (waiting.length > 0) {
      await gather();
      const items = waiting;
      waiting = [];
      writing = items.length;
      await persistently(() => write(items));
      writing = 0;
      onWritten();
    }
  }

  return {
    add(item) {
      waiting.push(item);
      if (writing > 0 || waiting.length > 1) return;
      drain().catch(onFailure);
    },
    get size() {
      return waiting.length + writing;
    },
  };
}

async function persistently(run: () => Promise<void>): Promise<void> {
  for (const delayMs of RETRY_WRITE_MS) {
    try {
      return await run();
    } catch {
      await sleep(delayMs);
    }
  }
  return run();
}
