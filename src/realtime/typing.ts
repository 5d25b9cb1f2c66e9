const AUTO_OFF_MS = 8_000;
const REPEAT_MS = 3_000;

/** Typing of one socket, or of many people under keys of their own: announced when it changes, and ended when the client forgets to. */
export interface Typing {
  set(conversationId: string, isTyping: boolean): void;
  /** Ends all of it, as when the socket goes. */
  stop(): void;
}

interface Active {
  timer: NodeJS.Timeout;
  announcedAt: number;
}

/** Throttles what `announce` hears: a client may say that it types with every key. */
export function createTyping(announce: (conversationId: string, isTyping: boolean) => void): Typing {
  const active = new Map<string, Active>();

  function end(conversationId: string): void {
    const current = active.get(conversationId);
    if (current === undefined) return;
    clearTimeout(current.timer);
    active.delete(conversationId);
    announce(conversationId, false);
  }

  function begin(conversationId: string): void {
    const current = active.get(conversationId);
    clearTimeout(current?.timer);
    const isStale = current === undefined || Date.now() - current.announcedAt >= REPEAT_MS;
    const timer = setTimeout(() => end(conversationId), AUTO_OFF_MS);
    active.set(conversationId, { timer, announcedAt: isStale ? Date.now() : current.announcedAt });
    if (isStale) announce(conversationId, true);
  }

  return {
    set: (conversationId, isTyping) => (isTyping ? begin(conversationId) : end(conversationId)),
    stop() {
      for (const conversationId of [...active.keys()]) end(conversationId);
    },
  };
}
