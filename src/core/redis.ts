import { Redis } from 'ioredis';
import type { Log } from './log.ts';
import { createOutage } from './outage.ts';

interface RedisUse {
  /** What the connection is for, as the log names it. */
  name: string;
  /** Commands wait for a reconnect (subscribers, blocking reads); otherwise they fail at once while Redis is away. */
  patient: boolean;
  log: Log;
}

const READY_WITHIN_MS = 3_000;

/** A connection that reconnects for ever and never throws by itself. */
export function connectRedis(url: string, { name, patient, log }: RedisUse): Redis {
  const redis = new Redis(url, redisOptions(patient));
  forgiveLosses(redis);
  const outage = createOutage(log, `Redis (${name})`);
  redis.on('error', (error) => outage.failed(error));
  redis.on('close', () => redis.status !== 'end' && outage.failed(new Error('the connection was lost')));
  redis.on('ready', () => outage.recovered());
  return redis;
}

// Libraries leave the promises of their commands alone; while Redis is away, those would end the process.
function forgiveLosses(redis: Redis): void {
  const sendCommand = redis.sendCommand.bind(redis);
  redis.sendCommand = (...args) => {
    const answer = sendCommand(...args);
    if (answer instanceof Promise) answer.catch(() => {});
    return answer;
  };
}

export interface RedisFamily {
  redis: Redis;
  /** Ends all of them at once, without waiting for a Redis that is away. */
  disconnect(): void;
}

/** For libraries that duplicate the connection they are given: the duplicates read, so they wait for a reconnect. */
export function connectRedisFamily(url: string, use: RedisUse): RedisFamily {
  const redis = connectRedis(url, use);
  const readers: Redis[] = [];
  redis.duplicate = () => {
    const reader = connectRedis(url, { ...use, name: `${use.name}, reading`, patient: true });
    readers.push(reader);
    return reader;
  };
  return {
    redis,
    disconnect() {
      for (const each of [redis, ...readers]) each.disconnect();
    },
  };
}

function redisOptions(patient: boolean) {
  return {
    maxRetriesPerRequest: patient ? null : 1,
    enableOfflineQueue: patient,
    connectTimeout: 5_000,
    // The system's own default notices after two hours that a peer has vanished.
    keepAlive: 10_000,
    retryStrategy: (times: number) => Math.min(times * 100, 1_000),
  };
}

/** Waits for the first connection, but not for ever: a process starts without Redis and goes on when it comes. */
export function soon(ready: Promise<unknown>): Promise<void> {
  return new Promise((resolve) => {
    const deadline = setTimeout(resolve, READY_WITHIN_MS);
    const done = () => {
      clearTimeout(deadline);
      resolve();
    };
    ready.then(done, done);
  });
}

/** The number of the database that the URL names; channels of publish/subscribe are shared by all of them. */
export function redisDatabase(url: string): string {
  return new URL(url).pathname.slice(1) || '0';
}
