import { setTimeout as sleep } from 'node:timers/promises';

/** Waits until the condition holds; fails when it does not within the time. */
export async function until(
  holds: () => boolean | Promise<boolean>,
  withinMs = 30_000,
  everyMs = 5,
): Promise<void> {
  const deadline = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > deadline) throw new Error(`did not happen within ${withinMs} ms: ${holds}`);
    await sleep(everyMs);
  }
}
