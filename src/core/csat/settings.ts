import { z } from 'zod';

const LABELS = ['😞', '😕', '😐', '🙂', '😍'];
const QUESTION = 'How did we do?';

/** Whether and how customers are asked, after their conversation is resolved, how they were served. */
export const csatSettings = z.strictObject({
  is_enabled: z.boolean(),
  question: z.string().trim().min(1).max(300).default(QUESTION),
  labels: z
    .array(z.string().trim().min(1).max(20))
    .length(5)
    .refine((labels) => new Set(labels).size === labels.length, 'must differ from each other')
    .default(LABELS)
    .meta({ description: 'The five answers, the worst first.' }),
});
export type CsatSettings = z.infer<typeof csatSettings>;
