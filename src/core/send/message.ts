import { holds, type Lease } from '../lanes.ts';
import { failMessage } from './failure.ts';
import type { SendOptions } from './options.ts';
import { sendOverSockets } from './over-sockets.ts';
import type { SendingMessage } from './parts.ts';
import { attachmentRefusal, refusalOf } from './refusal.ts';
import { sendParts } from './send-parts.ts';

/** `settled`: look at the next message. `waiting`: an attachment's bytes are not here yet. `lost`: the lane is another's. */
export type SendOutcome = 'settled' | 'waiting' | 'lost';

/** Takes a message as far as it goes now: all its parts, or up to the first that fails. */
export async function sendMessage(
  options: SendOptions,
  message: SendingMessage,
  lease: Lease,
): Promise<SendOutcome> {
  const loaded = await options.channels.load(message.channel_id);
  const refusal = refusalOf(loaded, message);
  if (refusal !== undefined || loaded === undefined) {
    await failMessage(
      options,
      { message, lease },
      refusal ?? { code: 'channel_deleted', message: 'The channel is gone.' },
    );
    return stillOurs(options, lease);
  }
  const states = await attachmentStates(options, message);
  if (states.includes('pending')) return 'waiting';
  if (states.some((state) => state !== 'ready')) {
    await failMessage(options, { message, lease }, attachmentRefusal(states));
    return stillOurs(options, lease);
  }
  const isSettled =
    loaded.adapter.send === undefined
      ? await sendOverSockets(options, message, lease)
      : await sendParts(options, { message, loaded, lease });
  return isSettled ? 'settled' : stillOurs(options, lease);
}

async function attachmentStates({ pool }: SendOptions, message: SendingMessage): Promise<string[]> {
  if (message.type === 'text') return [];
  const rows = await pool<
    { state: string }[]
  >`select state from attachments where message_id = ${message.id}`;
  return rows.map((row) => row.state);
}

/** A message that did not move may have been canceled, or the lane was lost: then there is nothing more to do here. */
async function stillOurs({ pool }: SendOptions, lease: Lease): Promise<SendOutcome> {
  return (await holds(pool, lease)) ? 'settled' : 'lost';
}
