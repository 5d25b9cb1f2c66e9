import { newId } from './id.ts';
import type { Log } from './log.ts';
import { connectRedis, redisDatabase, soon } from './redis.ts';

export type WakeTopic = 'outbox' | 'events' | 'lane' | 'channel' | 'session' | 'blocked';

type Listener = (detail: string | undefined) => void;

/** Says that there is something to look at. It may be lost: every listener also polls. */
export interface Wake {
  notify(topic: WakeTopic, detail?: string): void;
  on(topic: WakeTopic, listener: Listener): () => void;
  close(): Promise<void>;
}

/** Wakes this process at once and, with Redis, all the others. */
export async function createWake(redis: { url: string } | undefined, log: Log): Promise<Wake> {
  const local = createLocalWake(log);
  return redis === undefined ? local : connectWake(redis.url, local, log);
}

function createLocalWake(log: Log): Wake {
  const listeners = new Map<WakeTopic, Set<Listener>>();
  return {
    notify(topic, detail) {
      for (const listener of [...(listeners.get(topic) ?? [])]) {
        try {
          listener(detail);
        } catch (error) {
          log.error({ err: error, topic }, 'a listener of a wake-up failed');
        }
      }
    },
    on(topic, listener) {
      // Wrapped, so that the same function may listen twice and each stops by itself.
      const own: Listener = (detail) => listener(detail);
      const all = listeners.get(topic) ?? new Set();
      listeners.set(topic, all.add(own));
      return () => all.delete(own);
    },
    async close() {
      listeners.clear();
    },
  };
}

type Notice = [topic: WakeTopic, detail?: string];

async function connectWake(url: string, local: Wake, log: Log): Promise<Wake> {
  const channel = `tributary:wake:${redisDatabase(url)}`;
  const self = newId();
  const publisher = connectRedis(url, { name: 'publishing wake-ups', patient: false, log });
  const subscriber = connectRedis(url, { name: 'hearing wake-ups', patient: true, log });
  // Gathered until the end of this turn of the event loop: a busy process repeats itself a lot.
  const pending = new Map<string, Notice>();

  subscriber.on('message', (_channel, text) => {
    const { from, notices } = JSON.parse(text) as { from: string; notices: Notice[] };
    if (from === self) return;
    for (const notice of notices) local.notify(...notice);
  });
  await soon(subscriber.subscribe(channel));

  function publish(): void {
    const notices = [...pending.values()];
    pending.clear();
    // Redis is away: the others find out by their polls.
    publisher.publish(channel, JSON.stringify({ from: self, notices })).catch(() => {});
  }

  return {
    on: local.on,
    notify(topic, detail) {
      const notice: Notice = detail === undefined ? [topic] : [topic, detail];
      if (pending.size === 0) setImmediate(publish);
      pending.set(JSON.stringify(notice), notice);
      local.notify(topic, detail);
    },
    async close() {
      await local.close();
      if (pending.size > 0) publish();
      await soon(publisher.quit());
      publisher.disconnect();
      subscriber.disconnect();
    },
  };
}
