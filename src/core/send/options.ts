import type { Attachments } from '../attachments.ts';
import type { Channels } from '../channels.ts';
import type { Pool } from '../database/connect.ts';
import type { Transact } from '../database/transact.ts';
import type { Log } from '../log.ts';

/** What sending needs, built once by the gateway. */
export interface SendOptions {
  pool: Pool;
  transact: Transact;
  channels: Channels;
  attachments: Attachments;
  log: Log;
}
