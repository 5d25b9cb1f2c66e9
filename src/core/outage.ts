import type { Log } from './log.ts';

export interface Outage {
  /** Notes a failure: only the first of an outage is logged. */
  failed(error: unknown): void;
  /** Notes that it works; says so when it was away. */
  recovered(): void;
  readonly isOn: boolean;
}

/** Says once that something is away and once that it is back, however often it fails in between. */
export function createOutage(log: Log, what: string): Outage {
  let isOn = false;
  return {
    failed(error) {
      if (!isOn) log.warn({ err: error }, `${what} is away`);
      isOn = true;
    },
    recovered() {
      if (isOn) log.info(`${what} is back`);
      isOn = false;
    },
    get isOn() {
      return isOn;
    },
  };
}
