import type { EventRow } from '../core/events.ts';
import { assigneeNames } from '../core/team/agents.ts';
import type { RealtimeContext } from './context.ts';
import { liveFrame } from './live-frames.ts';

/** Carries the events of one batch to plain sockets. */
export interface LivePublisher {
  /** False once somebody of another business listens, for whom nothing was prepared. */
  isReady(): boolean;
  publish(event: EventRow): void;
}

/** Asks for what the frames of a batch need, so that publishing it waits for nothing. */
export async function prepareLive(events: EventRow[], context: RealtimeContext): Promise<LivePublisher> {
  const { pool, live, attachments } = context;
  const listening = live.keys();
  const heard = events.filter((event) => listening.has(event.business_id));
  const names = await assigneeNames(
    pool,
    heard.map(({ data }) => data.conversation?.assignee_id ?? data.conversation?.team_id ?? null),
  );

  return {
    isReady: () => live.keys().isSubsetOf(listening),
    publish(event) {
      const peers = live.of([event.business_id]);
      if (peers.size === 0) return;
      const frame = liveFrame({ ...event, data: attachments.mintUrls(event.data) }, names);
      if (frame === undefined) return;
      const text = JSON.stringify(frame);
      for (const peer of peers) peer.send(text);
    },
  };
}
