import type { Channels } from '../channels.ts';
import type { Sql } from '../database/connect.ts';
import type { Log } from '../log.ts';

interface ShowReadOptions {
  pool: Sql;
  channels: Pick<Channels, 'load'>;
  log: Log;
}

/** Tells the provider how far agents have read, so that the customer sees it. Best effort, after the commit. */
export async function showRead(
  { pool, channels, log }: ShowReadOptions,
  conversationId: string,
): Promise<void> {
  try {
    const newest = await newestRead(pool, conversationId);
    if (newest === undefined) return;
    const loaded = await channels.load(newest.channel_id);
    if (!loaded?.row.is_active) return;
    await loaded.adapter.markRead?.(newest.thread_key, newest.external_id, loaded.channel);
  } catch (error) {
    log.warn({ err: error, conversation: conversationId }, 'showing that a message was read failed');
  }
}

/** What the provider calls the customer's newest message. */
export async function newestInboundId(sql: Sql, conversationId: string): Promise<string | undefined> {
  const [row] = await sql<{ external_id: string }[]>`
    select external_id from messages
    where conversation_id = ${conversationId} and direction = 'inbound' and external_id is not null
    order by seq desc limit 1`;
  return row?.external_id;
}

interface NewestRead {
  channel_id: string;
  thread_key: string;
  external_id: string;
}

async function newestRead(sql: Sql, conversationId: string): Promise<NewestRead | undefined> {
  const [row] = await sql<NewestRead[]>`
    select c.channel_id, c.thread_key, m.external_id
    from conversations c join messages m on m.conversation_id = c.id
    where c.id = ${conversationId} and c.thread_key is not null and m.seq <= c.agent_read_seq
      and m.direction = 'inbound' and m.external_id is not null
    order by m.seq desc limit 1`;
  return row;
}
