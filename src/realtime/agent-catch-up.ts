import { encodeCursor, type Position } from '../core/events.ts';
import type { Broadcast } from './broadcast.ts';
import type { RealtimeContext } from './context.ts';
import { BEHIND_MS, createGate, type Gate, GRACE_MS } from './gate.ts';
import type { Frame } from './protocol.ts';
import { refuseExpired, replayEvents } from './replay.ts';
import { HELD_ROOM } from './rooms.ts';
import type { AgentParty, RealtimeSocket } from './socket.ts';

/** Brings an agent's socket from where its client was to where live events begin. */
export interface AgentCatchUp {
  /** Sends what happened after a position, in order, then lets live events pass. */
  sync(after: Position): Promise<SyncAnswer>;
  close(): void;
}

export interface SyncAnswer {
  cursor: string;
  has_more: boolean;
}

interface Options {
  party: AgentParty;
  broadcast: Broadcast;
  context: RealtimeContext;
}

/** Holds the socket's live events at once: from this moment on it misses nothing. */
export function createAgentCatchUp(
  socket: RealtimeSocket,
  { party, broadcast, context }: Options,
): AgentCatchUp {
  const { businessId } = party.actor;
  const gate = agentGate(socket, businessId, context);
  let isBehind = false;
  let heldAt = broadcast.position();
  let timer: NodeJS.Timeout | undefined;
  gate.hold({ restart: true });
  openIn(GRACE_MS);

  function openIn(ms: number): void {
    clearTimeout(timer);
    timer = setTimeout(() => gate.open(), ms);
  }

  /** A socket that waits already goes on waiting; one that is live, or was told there is more, begins anew. */
  function hold(): void {
    if (gate.isHeld() && !isBehind) return;
    gate.hold({ restart: true });
    heldAt = broadcast.position();
  }

  async function sync(after: Position): Promise<SyncAnswer> {
    clearTimeout(timer);
    try {
      await refuseExpired(context, after);
      await published(broadcast, after);
      hold();
      const reached = await replayEvents(socket, { businessId, after, until: heldAt }, context);
      isBehind = reached.seq < heldAt.seq;
      if (!isBehind) gate.open((frame) => frame.at !== undefined && frame.at <= after.seq);
      return { cursor: encodeCursor(reached, context.secrets), has_more: isBehind };
    } finally {
      if (gate.isHeld()) openIn(isBehind ? BEHIND_MS : GRACE_MS);
    }
  }

  return {
    sync,
    close() {
      clearTimeout(timer);
      gate.open(() => true);
    },
  };
}

/** A held socket leaves the broadcast and is fed through its gate instead. */
function agentGate(socket: RealtimeSocket, businessId: string, context: RealtimeContext): Gate {
  let leave: (() => void) | undefined;
  const gate = createGate({
    send: (frame: Frame) => socket.emit(frame.event, frame.payload),
    onChange(held) {
      if (held) {
        void socket.join(HELD_ROOM);
        leave = context.heldAgents.add([businessId], gate);
      } else {
        void socket.leave(HELD_ROOM);
        leave?.();
      }
    },
    maxWaiting: context.limits.maxWaiting,
    onOverflow: () => socket.disconnect(true),
  });
  return gate;
}

const PUBLISHED_WITHIN_MS = 2_000;

/** Another process may have shown the client what this one is about to publish: waits for it, so nothing comes twice. */
async function published(broadcast: Broadcast, after: Position): Promise<void> {
  const deadline = Date.now() + PUBLISHED_WITHIN_MS;
  while (broadcast.position().seq < after.seq && Date.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
