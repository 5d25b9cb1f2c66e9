import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Server } from 'socket.io';
import { io as connectClient } from 'socket.io-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLog } from '../../src/core/log.ts';
import { attachCluster } from '../../src/realtime/cluster.ts';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.ts';
import { type Relay, startRelay } from '../support/relay.ts';
import { until } from '../support/until.ts';

const log = createLog('silent');

async function startNode(redis: { url: string } | undefined) {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const io = new Server(server);
  const cluster = await attachCluster(io, redis, log);
  io.on('connection', (socket) => socket.join('room'));
  return {
    io,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      await io.close();
      await cluster.close();
    },
  };
}

async function join(url: string) {
  const client = connectClient(url, { transports: ['websocket'] });
  await new Promise<void>((resolve) => client.on('connect', () => resolve()));
  return client;
}

it('needs no adapter in one process', async () => {
  const node = await startNode(undefined);
  const client = await join(node.url);
  const heard = new Promise((resolve) => client.on('typing', resolve));
  node.io.to('room').emit('typing', { is_typing: true });
  expect(await heard).toEqual({ is_typing: true });
  client.disconnect();
  await node.stop();
});

describe.skipIf(redisMissing())('two api processes with Redis', () => {
  let redis: TestRedis;
  let relay: Relay;
  let nodes: Awaited<ReturnType<typeof startNode>>[];
  let client: Awaited<ReturnType<typeof join>>;

  beforeEach(async () => {
    redis = await startRedis();
    relay = await startRelay(redis.url);
    nodes = [await startNode({ url: relay.url }), await startNode({ url: relay.url })];
    client = await join(nodes[1]?.url ?? '');
  });

  afterEach(async () => {
    client.disconnect();
    for (const node of nodes) await node.stop();
    await relay.stop();
    await redis.stop();
  });

  function emitUntilHeard(heard: unknown[]) {
    return until(async () => {
      nodes[0]?.io.to('room').emit('typing', { is_typing: true });
      await new Promise((resolve) => setTimeout(resolve, 20));
      return heard.length > 0;
    });
  }

  it('share what is emitted to a room', async () => {
    const heard: unknown[] = [];
    client.on('typing', (typing) => heard.push(typing));
    await emitUntilHeard(heard);
    expect(heard[0]).toEqual({ is_typing: true });
  });

  it('see the sockets of each other', async () => {
    await until(
      async () =>
        (
          await nodes[0]?.io
            .in('room')
            .fetchSockets()
            .catch(() => [])
        )?.length === 1,
      10_000,
    );
  });

  it('disconnect sockets of each other', async () => {
    let gone = false;
    client.on('disconnect', () => {
      gone = true;
    });
    await until(async () => {
      nodes[0]?.io.in('room').disconnectSockets(true);
      await new Promise((resolve) => setTimeout(resolve, 20));
      return gone;
    });
  });

  it('survive a Redis that goes away and comes back', async () => {
    await relay.cut();
    nodes[0]?.io.to('room').emit('typing', { is_typing: false });
    await nodes[0]?.io
      .in('room')
      .fetchSockets()
      .catch(() => []);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await relay.restore();
    const heard: unknown[] = [];
    client.on('typing', (typing) => heard.push(typing));
    await emitUntilHeard(heard);
  });

  it('close soon while Redis is away', async () => {
    await relay.cut();
    const askedAt = Date.now();
    for (const node of nodes.splice(0)) await node.stop();
    expect(Date.now() - askedAt).toBeLessThan(3_000);
  });
});
