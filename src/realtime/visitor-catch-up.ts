import { BEHIND_MS, createGate, GRACE_MS } from './gate.ts';
import type { Frame } from './protocol.ts';
import type { RealtimeSocket } from './socket.ts';

/** What of a conversation a visitor's socket has been given by `sync`: up to this seq nothing is new to it. */
export interface Given {
  conversationId: string;
  upToSeq: number;
  hasMore: boolean;
}

/** Lets a visitor's live events wait while it catches up, and leaves out what `sync` gave it already. */
export interface VisitorCatchUp {
  pass(frame: Frame): void;
  /** Live events wait from here until what `read` brings has been answered. */
  during(read: () => Promise<Given>): Promise<void>;
  close(): void;
}

/** Holds the socket's live events at once, for the moment in which its client asks for what it missed. */
export function createVisitorCatchUp(socket: RealtimeSocket, maxWaiting: number): VisitorCatchUp {
  const given = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  const gate = createGate({
    send(frame) {
      if (!isGiven(frame)) socket.emit(frame.event, frame.payload);
    },
    maxWaiting,
    onOverflow: () => socket.disconnect(true),
  });
  hold();
  openIn(GRACE_MS);

  function hold(): void {
    clearTimeout(timer);
    gate.hold({ restart: false });
  }

  function openIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => gate.open(), ms);
  }

  function isGiven({ event, payload }: Frame): boolean {
    if (event !== 'new_message') return false;
    return Number(payload['seq']) <= (given.get(String(payload['conversation_id'])) ?? 0);
  }

  return {
    pass: gate.pass,
    async during(read) {
      hold();
      let wait = 0;
      try {
        const { conversationId, upToSeq, hasMore } = await read();
        given.set(conversationId, Math.max(upToSeq, given.get(conversationId) ?? 0));
        if (hasMore) wait = BEHIND_MS;
      } finally {
        // Not in this turn: the answer goes out first.
        openIn(wait);
      }
    },
    close() {
      clearTimeout(timer);
      gate.open(() => true);
    },
  };
}
