import type { Context } from 'hono';
import { type Draft, queueMessage } from '../core/messages/queue-message.ts';
import type { MessageView } from '../core/views/message.ts';
import { act } from './act.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';

interface Writing<T> {
  draft: Draft;
  view(message: MessageView): T;
}

/** Writes the draft in the conversation of the path; with an Idempotency-Key in one transaction with its answer. */
export async function writeMessage<T>(
  c: Context<ApiEnv>,
  deps: ApiDeps,
  { draft, view }: Writing<T>,
): Promise<T> {
  if (c.get('claim') !== undefined) {
    return act(c, 202, async (tx, conversation, by) =>
      view(await queueMessage(tx, conversation, { draft, by, ...deps })),
    );
  }
  const conversationId = c.req.param('id') ?? '';
  return view(await deps.writeReply({ actor: c.var.actor, conversationId, draft }));
}
