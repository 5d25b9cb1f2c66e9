import { z } from 'zod';
import type { RatingRow } from '../csat/ratings.ts';
import { isoOrNull } from './time.ts';

export const ratingView = z
  .object({
    id: z.string(),
    conversation_id: z.string(),
    agent_id: z.string().nullable().meta({ description: 'Whose work it is about.' }),
    asked_at: z.string(),
    expires_at: z.string(),
    score: z.number().int().nullable().meta({ description: '1 to 5; null while nobody answered.' }),
    comment: z.string().nullable(),
    answered_at: z.string().nullable(),
    source: z
      .enum(['chat', 'page', 'api'])
      .nullable()
      .meta({ description: 'In the conversation, on the page of the link, or told by you.' }),
  })
  .meta({ id: 'Rating' });
export type RatingView = z.infer<typeof ratingView>;

/** The rating as the API shows it. */
export function viewRating(row: RatingRow): RatingView {
  return {
    id: row.id,
    conversation_id: row.conversation_id,
    agent_id: row.agent_id,
    asked_at: row.asked_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
    score: row.score,
    comment: row.comment,
    answered_at: isoOrNull(row.answered_at),
    source: row.source,
  };
}
