import { sealSource } from './attachments.ts';
import type { Pool } from './database/connect.ts';
import { sqlState } from './database/transact.ts';
import type { AttachmentRef, Inbound } from './envelope.ts';
import { AppError } from './errors.ts';
import type { Place } from './events/place.ts';
import { inTurn } from './events/turn.ts';
import { type Accepted, type IngestRequest, itemsOf } from './ingest/item.ts';
import { bringLargeBodies, keepRequests } from './ingest/keep-requests.ts';
import { type Stored, storeBatch } from './ingest/store.ts';
import type { Log } from './log.ts';
import type { Secrets } from './secrets.ts';
import type { Slots } from './slots.ts';
import type { Wake } from './wake.ts';

export interface Ingest {
  /**
   * Stores what a request brings; resolves after the commit, one answer an item. A request that can never be stored
   * is kept raw as `failed` and resolves too. Throws AppError `unavailable` when nothing was stored.
   */
  submit(request: IngestRequest): Promise<Accepted[]>;
  /** Keeps a request that could not be parsed, raw, as `failed`. */
  keepFailed(request: IngestRequest, reason: string): Promise<void>;
  /** Resolves when the batch in flight and what waits for it are committed. */
  close(): Promise<void>;
}

interface IngestOptions {
  pool: Pool;
  place: Place;
  /** Whose turn it is to place events: of this process one batch, or its dispatcher. */
  turns: Slots;
  secrets: Secrets;
  wake: Pick<Wake, 'notify'>;
  log: Log;
}

interface Waiting {
  request: IngestRequest;
  resolve(accepted: Accepted[]): void;
  reject(error: unknown): void;
}

const MAX_REQUESTS_PER_BATCH = 256;
const TRIES = 3;
const PAUSE_MS = 150;

/** Commits requests in batches: those that arrive while a commit is under way share the next one. */
export function createIngest({ pool, place, turns, secrets, wake, log }: IngestOptions): Ingest {
  const waiting: Waiting[] = [];
  let running: Promise<void> | undefined;

  /** The next batch begins while the one before it commits: it waits for the threads that both touch. */
  async function run(): Promise<void> {
    let committed = Promise.resolve();
    while (waiting.length > 0) {
      const before = committed;
      const written = Promise.withResolvers<void>();
      committed = commit(nextBatch(), written.resolve).finally(written.resolve);
      await Promise.all([before, written.promise]);
      if (waiting.length === 0) await committed;
    }
    running = undefined;
  }

  /** A thread that moves makes a batch of its own: what comes behind it finds the thread where it went. */
  function nextBatch(): Waiting[] {
    const moving = waiting
      .slice(0, MAX_REQUESTS_PER_BATCH)
      .findIndex((it) => it.request.inbound.some(movesThread));
    return waiting.splice(0, moving === -1 ? MAX_REQUESTS_PER_BATCH : Math.max(moving, 1));
  }

  async function commit(batch: Waiting[], onWritten = () => {}): Promise<void> {
    try {
      const requests = batch.map((it) => it.request);
      const { answers, announce, outdatedBlocks } = await withRetries(() => store(requests, onWritten));
      announce();
      for (const businessId of outdatedBlocks) wake.notify('blocked', businessId);
      for (const it of batch) it.resolve(answers.get(it.request) ?? []);
    } catch (error) {
      await refuse(batch, error);
    }
  }

  /** What one request caused spoils only that one; a database in trouble means that nothing was stored of any. */
  async function refuse(batch: Waiting[], error: unknown): Promise<void> {
    const [first] = batch;
    if (batch.length > 1 && !isTrouble(error)) {
      for (const it of batch) await commit([it]);
    } else if (first !== undefined && isPoison(error)) {
      await keepPoison(first, error);
    } else {
      log.error({ err: error, requests: batch.length }, 'ingest failed');
      for (const it of batch)
        it.reject(new AppError('unavailable', 'the message could not be stored, try again'));
    }
  }

  async function keepPoison(it: Waiting, error: unknown): Promise<void> {
    log.warn(
      { err: error, request: it.request.id, channel: it.request.channel.id },
      'kept a request that cannot be stored',
    );
    try {
      await keepFailed(it.request, error instanceof Error ? error.message : 'cannot be stored');
      it.resolve([]);
    } catch (failure) {
      await refuse([it], new AppError('unavailable', 'keeping it failed', { cause: failure }));
    }
  }

  function keepFailed(request: IngestRequest, reason: string): Promise<void> {
    const outcome = { request, status: 'failed', reason, customerId: null } as const;
    return withRetries(() =>
      pool.begin(async (tx) => {
        await bringLargeBodies(tx, [request]);
        await keepRequests(tx, [outcome]);
      }),
    );
  }

  async function store(requests: IngestRequest[], onWritten: () => void): Promise<Stored> {
    const items = itemsOf(requests);
    const context = {
      now: new Date(),
      sealSource: (businessId: string, attachmentId: string, ref: AttachmentRef) =>
        sealSource(secrets, { businessId, attachmentId }, ref).toString('base64'),
    };
    return inTurn({ pool, turns }, async (tx, takeTurn) => {
      const stored = await storeBatch(tx, { requests, items, context, takeTurn, place });
      onWritten();
      return stored;
    });
  }

  return {
    submit: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject });
        running ??= run();
      }),
    keepFailed,
    async close() {
      await running;
    },
  };
}

function movesThread(inbound: Inbound): boolean {
  return inbound.kind === 'identity_change' && inbound.newThreadKey !== undefined;
}

/** Data that the database will never take: data exception, constraint violation, longer than an index takes. */
function isPoison(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && /^(22|23|54)...$/.test(state);
}

/** The database or the way to it has failed, whatever it was asked. Any other error, a refusal of ours too, is of one request. */
function isTrouble(error: unknown): boolean {
  return sqlState(error) !== undefined && !isPoison(error) && !(error instanceof AppError);
}

/** Tries again whatever is not poison: a deadlock, a restart, a connection that was closed. */
async function withRetries<T>(run: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await run();
    } catch (error) {
      // A constraint may only have lost a race: a second look sees the winner.
      if (tries === TRIES || (isPoison(error) && tries > 1)) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS * tries));
    }
  }
}
