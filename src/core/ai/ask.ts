import type { Pool } from '../database/connect.ts';
import type { Secrets } from '../secrets.ts';
import { type Answer, type RawAnswer, readAnswer } from './answer.ts';
import { type AiHookRow, noteHealth, secretOfHook } from './hook.ts';

/** A request that is about to be signed and sent. */
export interface SignedQuestion {
  url: string;
  secret: string;
  /** The same in the header and the body. */
  id: string;
  body: string;
  timeoutMs: number;
}

/** Asks over HTTP; a server that fails is an answer, not an exception. */
export type Ask = (question: SignedQuestion, signal: AbortSignal) => Promise<RawAnswer>;

interface Asked {
  hook: AiHookRow;
  id: string;
  body: string;
  signal: AbortSignal;
}

/** Asks a business's program, and keeps for it to see when that fails. Undefined when the signal came first. */
export async function askHook(
  { ask, pool, secrets }: { ask: Ask; pool: Pool; secrets: Secrets },
  { hook, id, body, signal }: Asked,
): Promise<Answer | undefined> {
  const { url, timeout_seconds } = hook;
  const secret = secretOfHook(secrets, hook);
  const raw = await ask({ url, secret, id, body, timeoutMs: timeout_seconds * 1_000 }, signal);
  if (signal.aborted) return undefined;
  const answer = readAnswer(raw, hook.threshold);
  await noteHealth(pool, hook, answer.failure);
  return answer;
}
