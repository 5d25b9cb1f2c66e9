import type { Server } from 'socket.io';
import type { Log } from '../core/log.ts';
import { connectRedisFamily, redisDatabase } from '../core/redis.ts';

/**
 * Joins the sockets of all api processes for typing, presence and disconnects, which may be lost. Durable events never
 * pass here: every process follows them itself.
 */
export async function attachCluster(
  io: Server,
  redis: { url: string } | undefined,
  log: Log,
): Promise<{ close(): Promise<void> }> {
  if (redis === undefined) return { close: async () => {} };
  const { createAdapter } = await import('@socket.io/redis-streams-adapter');
  const { redis: publisher, disconnect } = connectRedisFamily(redis.url, {
    name: 'publishing to sockets',
    patient: false,
    log,
  });
  const scope = redisDatabase(redis.url);
  io.adapter(
    createAdapter(publisher, {
      streamName: 'tributary:sockets',
      channelPrefix: `tributary:sockets:${scope}`,
      maxLen: 1_000,
      blockTimeInMs: 1_000,
    }),
  );

  return {
    async close() {
      // Stops the adapter's endless reading before its connections go.
      for (const namespace of io._nsps.values()) await namespace.adapter.close();
      disconnect();
    },
  };
}
