const AUTO_OFF_MS = 8_000;
const REPEAT_MS = 3_000;

/** Typing of one socket, or of many people under keys of their own: announced when it changes, and ended when the client forgets to. */
export interface Typing {
  set(key: string, isTyping: boolean): void;
  /** Ends all of it, as when the socket goes. */
  stop(): void;
}

interface Active {
  timer: NodeJS.Timeout;
  announcedAt: number;
}

/** Throttles what `announce` hears: a client may say that it types at every keystroke. */
export function createTyping(announce: (key: string, isTyping: boolean) => void): Typing {
  const active = new Map<string, Active>();

  function end(key: string): void {
    const current = active.get(key);
    if (current === undefined) return;
    clearTimeout(current.timer);
    active.delete(key);
    announce(key, false);
  }

  function begin(key: string): void {
    const current = active.get(key);
    clearTimeout(current?.timer);
    const isStale = current === undefined || Date.now() - current.announcedAt >= REPEAT_MS;
    const timer = setTimeout(() => end(key), AUTO_OFF_MS);
    active.set(key, { timer, announcedAt: isStale ? Date.now() : current.announcedAt });
    if (isStale) announce(key, true);
  }

  return {
    set: (key, isTyping) => (isTyping ? begin(key) : end(key)),
    stop() {
      for (const key of [...active.keys()]) end(key);
    },
  };
}
