import type { Actor } from '../actor.ts';
import { lockConversation } from '../conversations.ts';
import type { Pool, Sql } from '../database/connect.ts';
import { isAway, type Transact } from '../database/transact.ts';
import type { Announce, Place } from '../events/place.ts';
import { inTurn } from '../events/turn.ts';
import { isUuid } from '../id.ts';
import type { Slots } from '../slots.ts';
import { together } from '../together.ts';
import type { MessageView } from '../views/message.ts';
import { type Author, authorOf, authorsOf } from './author.ts';
import type { Draft, WritingTools } from './draft.ts';
import { queueMessage } from './queue-message.ts';
import { writeMessages } from './write-messages.ts';

export interface Reply {
  actor: Actor;
  conversationId: string;
  draft: Draft;
}

/** Stores what somebody on our side writes in a conversation; resolves after the commit. */
export type WriteReply = (reply: Reply) => Promise<MessageView>;

interface RepliesOptions extends WritingTools {
  pool: Pool;
  transact: Transact;
  place: Place;
  /** Whose turn it is to place events, in this process. */
  turns: Slots;
}

const MOST_AT_ONCE = 64;

/** Commits replies in batches: those that arrive while a commit is under way share the next one. */
export function createReplies({ pool, transact, place, turns, ...tools }: RepliesOptions): WriteReply {
  /** What one is refused for spoils no other, and nobody waits for a conversation that somebody else has. */
  async function writeAll(replies: Reply[]): Promise<(MessageView | Promise<MessageView>)[]> {
    const { written, announce } = await writeFree(replies).catch(noneWritten);
    announce();
    return replies.map((reply) => written.get(reply) ?? writeAlone(reply));
  }

  function writeAlone({ actor, conversationId, draft }: Reply): Promise<MessageView> {
    return transact(async (tx) => {
      const conversation = await lockConversation(tx, actor.businessId, conversationId);
      return queueMessage(tx, conversation, { draft, by: await authorOf(tx, actor), ...tools });
    });
  }

  function writeFree(replies: Reply[]): Promise<Batch> {
    return inTurn({ pool, turns }, async (tx, takeTurn) => {
      const free = await lockFree(tx, replies);
      const { views, events } = await writeMessages(tx, await entriesOf(tx, free), tools);
      await takeTurn();
      const announce = await place(tx, events);
      return { announce, written: new Map(free.map((reply, index) => [reply, views[index] as MessageView])) };
    });
  }

  return together(writeAll, { most: MOST_AT_ONCE });
}

interface Batch {
  written: Map<Reply, MessageView>;
  announce: Announce;
}

/** Where a connection breaks, nobody knows whether the commit went through: what may be there is not written again. */
function noneWritten(error: unknown): Batch {
  if (isAway(error)) throw error;
  return { written: new Map(), announce: () => {} };
}

/** Those in conversations of their business that nobody works on just now, locked in the order of every writer. */
async function lockFree(tx: Sql, replies: Reply[]): Promise<Reply[]> {
  const asked = replies.filter((reply) => isUuid(reply.conversationId));
  const ids = asked.map((reply) => reply.conversationId);
  const businesses = asked.map((reply) => reply.actor.businessId);
  const rows = await tx<{ id: string; business_id: string }[]>`
    select c.id, c.business_id from conversations c
    join unnest(${ids}::uuid[], ${businesses}::uuid[]) as asked(id, business_id) using (id, business_id)
    order by c.id for update of c skip locked`;
  const free = new Map(rows.map((row) => [row.id, row.business_id]));
  return asked.filter(({ actor, conversationId }) => free.get(conversationId) === actor.businessId);
}

async function entriesOf(tx: Sql, replies: Reply[]) {
  const actors = replies.map((reply) => reply.actor);
  const authors = await authorsOf(tx, actors);
  return replies.map((reply, index) => ({ ...reply, by: authors[index] as Author }));
}
