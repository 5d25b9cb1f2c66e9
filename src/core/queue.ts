import { createPostgresBackend, type Job, Queue, runMigrations, WaitingError, Worker } from 'bullmq';
import { Client } from 'pg';
import { newId } from './id.ts';
import type { Log } from './log.ts';
import { createOutage, type Outage } from './outage.ts';
import { connectRedisFamily, soon } from './redis.ts';
import { createSlots } from './slots.ts';

type Handler = (laneKey: string) => Promise<void>;

/** Names lanes that have something to do. A job is a wake-up and holds no state: losing one costs time, never work. */
export interface LaneQueue {
  /** Never throws and never waits long: what could not be named now, the reconciler names again. */
  wake(laneKeys: readonly string[]): Promise<void>;
  work(handler: Handler, options: { concurrency: number }): Promise<{ close(): Promise<void> }>;
  close(): Promise<void>;
}

interface QueueOptions {
  redis: { url: string } | undefined;
  databaseUrl: string;
  log: Log;
}

const QUEUE = 'lanes';
// Waking is bounded, for a dispatcher must not stand still because the queue does.
const ENQUEUE_WITHIN_MS = 2_000;
const CLOSE_WITHIN_MS = 2_000;
const FEW = 4;
const LANES_PER_JOB = 16;
const SEPARATOR = ' ';
const JOB = { removeOnComplete: true, removeOnFail: true };
// Nobody reads BullMQ's own stream of events.
const QUEUE_OPTIONS = { prefix: 'tributary', streams: { events: { maxLen: 100 } } };
const WORKER_OPTIONS = {
  prefix: 'tributary',
  lockDuration: 10_000,
  stalledInterval: 5_000,
  // A lane whose workers keep dying is taken over as often as that happens.
  maxStalledCount: 1_000,
  // How soon a fetch that failed is tried again; the default of 15 s is a long time to be deaf.
  runRetryDelay: 500,
  drainDelay: 5,
};

/** BullMQ on Redis when there is one, else on Postgres. */
export async function openQueue({ redis, databaseUrl, log }: QueueOptions): Promise<LaneQueue> {
  const backend = redis === undefined ? await postgresBackend(databaseUrl) : redisBackend(redis.url, log);
  const outage = createOutage(log, 'The job queue');
  const { queue, release } = backend.openQueue();
  queue.on('error', outage.failed);
  await soon(queue.waitUntilReady());
  const enqueue = inBatches(async (laneKeys) => {
    try {
      await within(ENQUEUE_WITHIN_MS, addJobs(queue, laneKeys));
      outage.recovered();
    } catch (error) {
      outage.failed(error);
    }
  });

  return {
    wake: enqueue,
    work: (handler, { concurrency }) =>
      startWorker((run) => backend.openWorker(run, concurrency), limited(handler, concurrency), log),
    close: () => soon(queue.close()).then(release),
  };
}

/** One call at a time; the keys that come meanwhile go into the next, each once. `enqueue` never fails. */
function inBatches(enqueue: (keys: string[]) => Promise<void>): (keys: readonly string[]) => Promise<void> {
  let underWay = Promise.resolve();
  let gathering: { keys: Set<string>; enqueued: Promise<void> } | undefined;

  function gather(): { keys: Set<string>; enqueued: Promise<void> } {
    const keys = new Set<string>();
    underWay = underWay.then(() => {
      gathering = undefined;
      return enqueue([...keys]);
    });
    return { keys, enqueued: underWay };
  }

  return async (laneKeys) => {
    if (laneKeys.length === 0) return;
    gathering ??= gather();
    for (const key of laneKeys) gathering.keys.add(key);
    await gathering.enqueued;
  };
}

// A fresh id each time: adding one that is active or kept would be silently ignored.
async function addJobs(queue: Pick<Queue, 'add' | 'addBulk'>, laneKeys: readonly string[]): Promise<void> {
  const jobs = inGroups(laneKeys).map((keys) => ({
    name: keys.join(SEPARATOR),
    data: {},
    opts: { ...JOB, jobId: `lane-${newId()}` },
  }));
  // On Postgres a bulk costs two temporary tables: for a few jobs they are dearer than the jobs.
  if (jobs.length > FEW) await queue.addBulk(jobs);
  else await Promise.all(jobs.map((job) => queue.add(job.name, job.data, job.opts)));
}

/** Where many lanes are woken at once one job names several of them: a job costs more than most lanes do. */
function inGroups(laneKeys: readonly string[]): string[][] {
  const groups: string[][] = [];
  const size = Math.min(Math.ceil(laneKeys.length / FEW), LANES_PER_JOB);
  for (let from = 0; from < laneKeys.length; from += size) groups.push(laneKeys.slice(from, from + size));
  return groups;
}

type OpenedWorker = ReturnType<Backend['openWorker']>;
type Run = (job: Pick<Job, 'name' | 'moveToWait'>, token?: string) => Promise<void>;

interface Backend {
  openQueue(): { queue: Pick<Queue, 'add' | 'addBulk' | 'close'> & Opened; release(): void };
  openWorker(run: Run, concurrency: number): { worker: Pick<Worker, 'close'> & Opened; release(): void };
}

interface Opened {
  waitUntilReady(): Promise<unknown>;
  on(event: string, listener: (...args: never[]) => void): unknown;
}

function redisBackend(url: string, log: Log): Backend {
  return {
    openQueue() {
      const { redis, disconnect } = connectRedisFamily(url, { name: 'naming lanes', patient: false, log });
      return { queue: new Queue(QUEUE, { ...QUEUE_OPTIONS, connection: redis }), release: disconnect };
    },
    openWorker(run, concurrency) {
      const { redis, disconnect } = connectRedisFamily(url, { name: 'working lanes', patient: true, log });
      const options = { ...WORKER_OPTIONS, concurrency, connection: redis };
      return { worker: new Worker(QUEUE, run, options), release: disconnect };
    },
  };
}

async function postgresBackend(databaseUrl: string): Promise<Backend> {
  await migrateQueue(databaseUrl);
  const connection = (max: number) => ({
    connectionString: databaseUrl,
    max,
    keepAlive: true,
    connectionTimeoutMillis: 5_000,
    application_name: 'tributary queue',
    // A wake-up that a crash of Postgres takes along is named again by the reconciler: no need to wait for the disk.
    options: '-c synchronous_commit=off',
  });
  // Their connections end with them.
  const release = () => {};
  return {
    openQueue() {
      const options = { ...QUEUE_OPTIONS, connection: connection(2) };
      return { queue: new Queue(QUEUE, options, createPostgresBackend), release };
    },
    openWorker(run, concurrency) {
      const options = { ...WORKER_OPTIONS, concurrency, connection: connection(4) };
      return { worker: new Worker(QUEUE, run, options, attentiveBackend), release };
    },
  };
}

// In a schema of its own, `bullmq`, beside ours.
async function migrateQueue(databaseUrl: string): Promise<void> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    await runMigrations(client);
  } finally {
    await client.end();
  }
}

// By itself a worker would trust a notification that may be lost for up to an hour.
const attentiveBackend: typeof createPostgresBackend = (...args) => {
  const backend = createPostgresBackend(...args);
  Object.defineProperty(backend, 'maximumBlockTimeout', { value: WORKER_OPTIONS.drainDelay });
  return backend;
};

async function startWorker(open: (run: Run) => OpenedWorker, handler: Handler, log: Log) {
  const running = new Set<Promise<void>>();
  let closing = false;
  const { worker, release } = open(run);
  reportTrouble(worker, log);
  await soon(worker.waitUntilReady());

  async function run(...[job, token]: Parameters<Run>): Promise<void> {
    // Fetched while closing: handed back, for another process to begin.
    if (closing) {
      await job.moveToWait(token);
      throw new WaitingError();
    }
    const handling = workAll(job.name.split(SEPARATOR), handler);
    running.add(handling);
    try {
      await handling;
    } finally {
      running.delete(handling);
    }
  }

  return {
    /** Waits for the handlers under way, however long they take, but not for a backend that is away. */
    async close(): Promise<void> {
      closing = true;
      const closed = worker.close();
      closed.catch(() => {});
      await Promise.allSettled(running);
      await within(CLOSE_WITHIN_MS, closed).catch(() => {});
      release();
    },
  };
}

/** A job names several lanes: what is worked at once is counted by lanes. */
function limited(handler: Handler, concurrency: number): Handler {
  const slots = createSlots(concurrency);
  return async (laneKey) => {
    const giveBack = await slots.take();
    await handler(laneKey).finally(giveBack);
  };
}

/** To the end, whatever becomes of one of them. */
async function workAll(laneKeys: string[], handler: Handler): Promise<void> {
  const results = await Promise.allSettled(laneKeys.map(handler));
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

function reportTrouble(worker: OpenedWorker['worker'], log: Log): void {
  const outage: Outage = createOutage(log, 'The job queue (worker)');
  worker.on('error', outage.failed);
  worker.on('active', outage.recovered);
  worker.on('failed', (job: { name: string } | undefined, error: Error) =>
    log.error({ err: error, lane: job?.name }, 'working a lane failed'),
  );
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const deadline = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
    work.then(resolve, reject).finally(() => clearTimeout(deadline));
  });
}
