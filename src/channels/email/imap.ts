import type { ImapFlow, MailboxObject } from 'imapflow';
import type { Channel, ListenContext } from '../../core/adapter.ts';
import type { Inbound } from '../../core/envelope.ts';
import { connectImap, type ImapConnecting } from './imap-client.ts';
import { fetchMail, type MailInBox } from './imap-fetch.ts';
import type { EmailSettings, ImapSettings } from './settings.ts';

/** Where the mailbox was left. */
interface Position {
  account: string;
  uidValidity: string;
  uid: number;
  /** Mail that was there before we came is no conversation of ours. */
  connectedAt: number;
  /** When the newest mail that was taken had arrived. */
  seenAt: number;
}

interface Listening extends ImapConnecting {
  parse(raw: Uint8Array): Promise<Inbound[]>;
  pollMs?: number;
}

const POLL_MS = 60_000;

/** Takes new mail out of a mailbox until it is told to stop: at once where the server tells us (IDLE), by asking else. */
export async function listenImap(
  channel: Channel<EmailSettings>,
  context: ListenContext,
  listening: Listening,
): Promise<void> {
  const { imap } = channel.settings;
  if (imap === undefined) return;
  const client = await connectImap(channel, listening);
  const close = () => client.close();
  context.signal.addEventListener('abort', close);
  try {
    await follow(client, { channel, imap, context, listening });
  } catch (error) {
    if (!context.signal.aborted) throw error;
  } finally {
    context.signal.removeEventListener('abort', close);
    client.close();
  }
}

interface Following {
  channel: Channel<EmailSettings>;
  imap: ImapSettings;
  context: ListenContext;
  listening: Listening;
}

async function follow(client: ImapFlow, following: Following): Promise<void> {
  const { imap, context, listening } = following;
  // Read-only: what people do with the mailbox stays theirs, and a mail stays unread until one of them reads it.
  const bell = bellOf(client, context.signal);
  let box = await client.mailboxOpen(imap.mailbox, { readOnly: true });
  let position = await begin(client, box, following);
  while (!context.signal.aborted) {
    position = await takeNew(client, position, following);
    await bell.rings(listening.pollMs ?? POLL_MS);
    if (!client.usable) throw new Error('the mail server closed the connection');
    await keepRotated(position, following);
    const status = await client.status(imap.mailbox, { uidValidity: true });
    if (!status || String(status.uidValidity) === position.uidValidity) continue;
    await client.mailboxClose();
    box = await client.mailboxOpen(imap.mailbox, { readOnly: true });
    position = await begin(client, box, following);
  }
}

/** A new mailbox begins with what comes from now on; a known one where it was left, even if its numbers mean nothing any more. */
async function begin(client: ImapFlow, box: MailboxObject, following: Following): Promise<Position> {
  const { imap, context } = following;
  const account = `${imap.user}@${imap.host}/${imap.mailbox}`;
  const before = context.state as Partial<Position>;
  const uidValidity = String(box.uidValidity);
  if (before.account !== account || before.connectedAt === undefined || before.seenAt === undefined) {
    const now = Date.now();
    return keep({ account, uidValidity, uid: box.uidNext - 1, connectedAt: now, seenAt: now }, context);
  }
  const known = { ...(before as Position) };
  if (known.uidValidity === uidValidity) return known;
  context.log('the mailbox was numbered anew: looking through it again', { account });
  return renumbered(client, { ...known, uidValidity, uid: box.uidNext - 1 }, following);
}

const OVERLAP_MS = 3_600_000;
// The server's clock is another one, and tells whole seconds only.
const CLOCKS_DIFFER_MS = 300_000;
const DAY_MS = 86_400_000;

/** What may have come meanwhile is read again by its time; what we had is recognised and stored once. */
async function renumbered(client: ImapFlow, position: Position, following: Following): Promise<Position> {
  const since = Math.max(position.connectedAt - CLOCKS_DIFFER_MS, position.seenAt - OVERLAP_MS);
  // The server looks at the date only, in a zone of its own.
  const found = await client.search({ since: new Date(since - DAY_MS) }, { uid: true });
  const uids = (found || []).filter((uid) => uid <= position.uid).sort((a, b) => a - b);
  let { seenAt } = position;
  for (const uid of uids) {
    const mail = await fetchMail(client, uid, { since, ...following.channel.settings });
    if (mail !== undefined) seenAt = Math.max(seenAt, await receive(mail, following));
  }
  return keep({ ...position, seenAt }, following.context);
}

/** In the order of arrival; the position moves only past what was committed. */
async function takeNew(client: ImapFlow, from: Position, following: Following): Promise<Position> {
  const found = await client.search({ uid: `${from.uid + 1}:*` }, { uid: true });
  let position = from;
  // The last mail answers to any range that ends with a star.
  for (const uid of (found || []).filter((one) => one > from.uid).sort((a, b) => a - b)) {
    following.context.signal.throwIfAborted();
    const mail = await fetchMail(client, uid, following.channel.settings);
    const seenAt = mail === undefined ? position.seenAt : await receive(mail, following);
    position = await keep({ ...position, uid, seenAt: Math.max(position.seenAt, seenAt) }, following.context);
  }
  return position;
}

async function receive({ raw, arrivedAt }: MailInBox, { context, listening }: Following): Promise<number> {
  // A mail that cannot be read is kept raw and passed by: it would hold up all others for ever.
  const inbound = await listening.parse(raw).catch((error: unknown) => {
    context.log('could not read a mail', { why: error instanceof Error ? error.message : 'unknown' });
    return [];
  });
  await context.receive({ body: raw, contentType: 'message/rfc822' }, inbound);
  return arrivedAt;
}

async function keep(position: Position, context: ListenContext): Promise<Position> {
  context.state = { ...context.state, ...position };
  await context.saveState(context.state);
  return position;
}

/** A refresh token that the provider has replaced ends some day: the newest is kept, once a day. */
async function keepRotated({ account }: Position, { channel, context, listening }: Following): Promise<void> {
  const token = listening.accessTokens.rotated(channel);
  if (token === undefined || Date.now() - Number(context.state['rotatedAt'] ?? 0) < DAY_MS) return;
  context.log('keeping a new refresh token', { account });
  context.state = { ...context.state, rotatedAt: Date.now() };
  await context.saveState(context.state);
  await context.keepSecret('oauth.refresh_token', token);
}

interface Bell {
  /** Resolves when the server told of something since the last time, the connection ended, or it is time to ask. */
  rings(withinMs: number): Promise<void>;
}

/** What comes while nobody waits is not missed. */
function bellOf(client: ImapFlow, signal: AbortSignal): Bell {
  let hasRung = false;
  let wake = () => {};
  const ring = () => {
    hasRung = true;
    wake();
  };
  for (const event of ['exists', 'close']) client.on(event, ring);
  signal.addEventListener('abort', ring, { once: true });
  return {
    async rings(withinMs) {
      if (!hasRung) {
        client.idle().catch(() => {});
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, withinMs);
          wake = () => {
            clearTimeout(timer);
            resolve();
          };
        });
      }
      hasRung = false;
    },
  };
}
