import type { Frame } from './protocol.ts';

/** How long a new socket's live events wait for its `sync`, so that what was missed can come first. */
export const GRACE_MS = 300;
/** How long they wait for the next `sync` of a client that was told there is more. */
export const BEHIND_MS = 30_000;

/** What a socket's live frames pass. While it is held they wait in order; none is lost, none overtakes another. */
export interface Gate {
  /** Sends now, or keeps the frame until the gate opens. */
  pass(frame: Frame): void;
  isHeld(): boolean;
  /** Keeps frames from now on. Holding again begins anew: what waits is dropped, since the reader will find it stored. */
  hold(options: { restart: boolean }): void;
  /** Sends what waited, less what `skip` says was given already, and lets live frames pass again. */
  open(skip?: (frame: Frame) => boolean): void;
}

interface GateOptions {
  send(frame: Frame): void;
  /** Called when the gate closes and opens, for what else depends on it. */
  onChange?(held: boolean): void;
  /** Waiting frames beyond this many mean that the reader will never catch up. */
  maxWaiting: number;
  onOverflow(): void;
}

/** A gate in front of one socket, open at first. */
export function createGate({ send, onChange, maxWaiting, onOverflow }: GateOptions): Gate {
  let waiting: Frame[] | undefined;

  return {
    pass(frame) {
      if (waiting === undefined) return send(frame);
      waiting.push(frame);
      if (waiting.length > maxWaiting) onOverflow();
    },
    isHeld: () => waiting !== undefined,
    hold({ restart }) {
      const wasHeld = waiting !== undefined;
      if (restart || !wasHeld) waiting = [];
      if (!wasHeld) onChange?.(true);
    },
    open(skip = () => false) {
      const frames = waiting;
      if (frames === undefined) return;
      waiting = undefined;
      for (const frame of frames) if (!skip(frame)) send(frame);
      onChange?.(false);
    },
  };
}
