import type { ZodType, z } from 'zod';
import { AppError, detailsOf } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { createBucket, type RealtimeLimits } from './limits.ts';
import type { Refusal } from './protocol.ts';
import { ackOf, type RealtimeSocket, refuse } from './socket.ts';

/** What a socket may ask of us, one request after the other. */
export interface Requests {
  /** Answers an event whose payload fits the schema; any other payload is refused, and so is an event without an answer. */
  answer<S extends ZodType>(event: string, schema: S, run: Run<S>): void;
}

type Run<S extends ZodType> = (input: z.infer<S>, asked: { hasAck: boolean }) => unknown;

interface RequestsOptions {
  log: Log;
  limits: RealtimeLimits;
  /** Told of every request under way, so that a stop can wait for it. */
  track(work: Promise<void>): void;
}

/** Reads a socket's events: rate limited, checked, and in the order they came, since a visitor's second message must not overtake the first. */
export function readRequests(socket: RealtimeSocket, { log, limits, track }: RequestsOptions): Requests {
  limitRate(socket, limits);
  const answered = new Set<string>();
  refuseOthers(socket, answered);
  let previous: Promise<void> = Promise.resolve();

  return {
    answer(event, schema, run) {
      answered.add(event);
      socket.on(event, (...args: unknown[]) => {
        previous = previous.then(() => answerOne(args, { event, schema, run }));
        track(previous);
      });
    },
  };

  async function answerOne<S extends ZodType>(
    args: unknown[],
    { event, schema, run }: Answering<S>,
  ): Promise<void> {
    const ack = ackOf(args);
    try {
      const answer = await run(parse(schema, ack === args[0] ? undefined : args[0]), {
        hasAck: ack !== undefined,
      });
      ack?.(answer ?? { ok: true });
    } catch (error) {
      refuse(socket, { event, refusal: refusalOf(error, log), ack });
    }
  }
}

interface Answering<S extends ZodType> {
  event: string;
  schema: S;
  run: Run<S>;
}

function parse<S extends ZodType>(schema: S, payload: unknown): z.infer<S> {
  const parsed = schema.safeParse(payload);
  if (parsed.success) return parsed.data;
  const details = detailsOf(parsed.error);
  throw new AppError('validation_error', 'Some fields are not valid.', { details });
}

/** What the client is told of an error; of one that is ours, nothing but that. */
export function refusalOf(error: unknown, log: Log): Refusal {
  if (error instanceof AppError) {
    const { code, message, details } = error;
    return details.length === 0 ? { code, message } : { code, message, details };
  }
  log.error({ err: error }, 'a socket request failed');
  return { code: 'internal', message: 'Something went wrong on our side.' };
}

/** Silence would leave whoever waits for the ack of a misspelt event, or of one that is the other side's, in the dark. */
function refuseOthers(socket: RealtimeSocket, answered: ReadonlySet<string>): void {
  socket.onAny((event: string, ...args: unknown[]) => {
    if (answered.has(event)) return;
    const refusal = { code: 'not_found', message: 'Nothing here answers to this event.' };
    refuse(socket, { event, refusal, ack: ackOf(args) });
  });
}

function limitRate(socket: RealtimeSocket, limits: RealtimeLimits): void {
  const bucket = createBucket(limits.burst, limits.perSecond);
  let refusals = 0;
  socket.use(([event, ...args], next) => {
    if (bucket.take(Date.now())) {
      refusals = 0;
      next();
      return;
    }
    refusals += 1;
    const refusal = { code: 'rate_limited', message: 'Too many events: slow down.' };
    refuse(socket, { event: String(event), refusal, ack: ackOf(args) });
    if (refusals > limits.maxRefusals) socket.disconnect(true);
  });
}
