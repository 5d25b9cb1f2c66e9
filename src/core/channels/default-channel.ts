import type { Channels, LoadedChannel } from '../channels.ts';
import type { Sql } from '../database/connect.ts';
import { AppError } from '../errors.ts';

interface Choice {
  businessId: string;
  /** Without it the business's default channel. */
  channelId: string | undefined;
}

/** The channel to open a conversation on. Throws `invalid_request` when there is none, or it is not the business's. */
export async function chooseChannel(
  sql: Sql,
  channels: Pick<Channels, 'find'>,
  { businessId, channelId }: Choice,
): Promise<LoadedChannel> {
  const id = channelId ?? (await defaultChannel(sql, businessId));
  if (id === undefined) throw refused('The business has no default channel; name one.');
  const loaded = await channels.find(sql, businessId, id).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'not_found')
      throw refused('This channel does not exist.', error);
    throw error;
  });
  if (!loaded.row.is_active) throw refused('This channel is not active.');
  return loaded;
}

async function defaultChannel(sql: Sql, businessId: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }[]>`
    select id from channels where business_id = ${businessId} and is_default and deleted_at is null`;
  return row?.id;
}

function refused(message: string, cause?: unknown): AppError {
  return new AppError('invalid_request', message, { details: [{ field: 'channel_id', message }], cause });
}
