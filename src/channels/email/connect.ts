import type { Channel, Health, Setup } from '../../core/adapter.ts';
import { connectImap, type ImapConnecting } from './imap-client.ts';
import type { EmailSettings } from './settings.ts';

/** Signs in to the mailbox once, and says what is left to do by hand. */
export async function connect(
  channel: Channel<EmailSettings>,
  doorUrl: string | undefined,
  connecting: ImapConnecting,
): Promise<Setup> {
  const { address, imap } = channel.settings;
  if (imap === undefined) return { done: [], todo: [waysIn(address, doorUrl)] };
  await signInOnce(channel, connecting);
  return { done: [`New mail is taken from ${imap.mailbox} of ${imap.user} at ${imap.host}.`], todo: [] };
}

function waysIn(address: string, doorUrl: string | undefined): string {
  const door = doorUrl === undefined ? 'the webhook_url of this channel' : doorUrl;
  return `Let mail to ${address} reach Tributary: give "imap", or let your mail provider post it to ${door}, or send it to SMTP_PORT.`;
}

async function signInOnce(channel: Channel<EmailSettings>, connecting: ImapConnecting): Promise<string> {
  const client = await connectImap(channel, connecting);
  try {
    const { path, exists } = await client.mailboxOpen(channel.settings.imap?.mailbox ?? 'INBOX', {
      readOnly: true,
    });
    return `${path} has ${exists} mails.`;
  } finally {
    client.close();
  }
}

/** Whether the mailbox lets us in; without one there is nothing to ask. */
export async function imapHealth(
  channel: Channel<EmailSettings>,
  connecting: ImapConnecting,
): Promise<Health | undefined> {
  if (channel.settings.imap === undefined) return undefined;
  try {
    return { ok: true, detail: `The mailbox can be read: ${await signInOnce(channel, connecting)}` };
  } catch (error) {
    return { ok: false, detail: error instanceof Error ? error.message : 'The mailbox cannot be read.' };
  }
}
