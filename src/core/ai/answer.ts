import { z } from 'zod';
import { detailsOf } from '../errors.ts';

/** What came back when the hook was asked. */
export interface RawAnswer {
  /** `delivered` where the server took it, else what kept it from that. */
  outcome: string;
  statusCode: number | null;
  message: string | null;
  excerpt: string | null;
}

/** What the hook says, as far as it can be used. */
export interface Answer {
  reply: string | null;
  confidence: number;
  needsHandoff: boolean;
  reason: string | null;
  /** Why there is none that can be used. */
  failure?: string;
}

const storable = (text: string) => text.isWellFormed() && !text.includes('\0');
const text = (most: number) => z.string().trim().max(most).refine(storable, 'is no text').nullish();

const answerSchema = z
  .object({
    reply: text(10_000),
    // Many a language writes null for what is not there.
    confidence: z.number().min(0).max(1).nullish(),
    needs_handoff: z.boolean().nullish(),
    handoff_reason: text(500),
  })
  .refine(({ reply, confidence }) => !reply || typeof confidence === 'number', {
    path: ['confidence'],
    error: 'is missing',
  });

/** Reads what the hook answered. Whatever is no answer asks for a person. */
export function readAnswer(raw: RawAnswer, threshold: number): Answer {
  if (raw.outcome !== 'delivered') return unusable(raw.message ?? `HTTP ${raw.statusCode}`);
  // An empty 204 is: nothing to say to this.
  if (raw.statusCode === 204) return { reply: null, confidence: 0, needsHandoff: false, reason: null };
  const body = parseJson(raw.excerpt ?? '');
  if (body === undefined) return unusable('its answer cannot be used: it is no JSON, or not whole');
  const parsed = answerSchema.safeParse(body);
  if (!parsed.success) {
    const [refused] = detailsOf(parsed.error);
    return unusable(`its answer cannot be used: ${refused?.field}: ${refused?.message}`);
  }
  return judged(parsed.data, threshold);
}

/** Without an answer nobody is kept waiting: a person is asked for. */
export function unusable(failure: string): Answer {
  return {
    reply: null,
    confidence: 0,
    needsHandoff: true,
    reason: 'ai_unavailable',
    failure: failure.slice(0, 500),
  };
}

function judged(answer: z.infer<typeof answerSchema>, threshold: number): Answer {
  const reply = answer.reply || null;
  const confidence = answer.confidence ?? 0;
  const isUnsure = reply !== null && confidence < threshold;
  const needsHandoff = isUnsure || (answer.needs_handoff ?? reply === null);
  const reason = answer.handoff_reason || (isUnsure ? 'low_confidence' : 'ai_asked');
  return { reply, confidence, needsHandoff, reason: needsHandoff ? reason : null };
}

function parseJson(body: string): unknown {
  try {
    // Some servers begin a text with a mark of its encoding.
    return JSON.parse(body.replace(/^\ufeff/, ''));
  } catch {
    return undefined;
  }
}
