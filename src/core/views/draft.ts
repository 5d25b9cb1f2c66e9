import { z } from 'zod';

const DRAFT_STATES = ['drafted', 'accepted', 'discarded', 'superseded'] as const;

export const draftView = z
  .object({
    id: z.string(),
    conversation_id: z.string(),
    answers_message_id: z
      .string()
      .nullable()
      .meta({ description: "The customer's message that it answers." }),
    content: z.string(),
    confidence: z.number(),
    state: z.enum(DRAFT_STATES),
    is_outdated: z.boolean().meta({ description: 'Somebody has written since.' }),
    created_at: z.string(),
  })
  .meta({
    id: 'Draft',
    description: 'What the AI suggests to agents. It never reaches a customer by itself.',
  });
export type DraftView = z.infer<typeof draftView>;
