import type { Twilio } from 'twilio';
import type { CatchUpContext, Channel } from '../../../core/adapter.ts';
import type { Inbound } from '../../../core/envelope.ts';
import type { Call } from './client.ts';
import { sendError } from './errors.ts';
import type { TwilioSettings } from './settings.ts';
import { receiptKey } from './status.ts';

type Listed = Awaited<ReturnType<Twilio['messages']['list']>>[number];

/** How a channel reads what a callback would have brought. */
type Read = (event: Record<string, string>) => Inbound[];

// Many pages, each with its own files to ask for.
const TIMEOUT_MS = 75_000;
const PAGE = 500;
// As much as is stored, and kept raw, at once.
const BATCH = 50;
// What is younger may yet be told by a callback, which knows more of it than the list.
const CALLBACK_MS = 60_000;

/** Receives what the account's own list holds and no callback has told: customers' messages, and news of ours. */
export async function catchUp(
  call: Call,
  channel: Channel<TwilioSettings>,
  { context, read }: { context: CatchUpContext; read: Read },
): Promise<void> {
  try {
    await call(
      channel.settings,
      async (twilio) => {
        const wanted: Listed[] = [];
        for await (const listed of listRecent(twilio, channel, context))
          wanted.push(...(await untold(listed, context)));
        const ordered = inOrder(wanted);
        for (let from = 0; from < ordered.length; from += BATCH)
          await receive(twilio, ordered.slice(from, from + BATCH), { channel, context, read });
      },
      { signal: context.signal, timeoutMs: TIMEOUT_MS },
    );
  } catch (error) {
    throw sendError(error);
  }
}

/** The window page by page, so that little is in memory; what this sender has no part in is left out. */
async function* listRecent(
  twilio: Twilio,
  { settings, doorUrl }: Channel<TwilioSettings>,
  { since, until }: CatchUpContext,
): AsyncGenerator<Listed[]> {
  const window = { dateSentAfter: since, ...(until === undefined ? {} : { dateSentBefore: until }) };
  const { from, messaging_service_sid: service } = settings;
  const isAll = service !== undefined || from === undefined;
  const youngest = doorUrl === undefined ? Number.POSITIVE_INFINITY : Date.now() - CALLBACK_MS;
  const ends = isAll ? [{}] : [{ to: from }, { from }];
  for (const end of ends) {
    const first = await twilio.messages.page({ ...window, ...end, pageSize: PAGE });
    let page: Pick<typeof first, 'instances' | 'nextPage'> | undefined = first;
    for (; page !== undefined; page = await page.nextPage())
      yield page.instances.filter((it) => isOurs(it) && timeOf(it).getTime() <= youngest);
  }

  function isOurs(it: Listed): boolean {
    return !isAll || it.messagingServiceSid === service || it.to === from || it.from === from;
  }
}

/** Neither what was told already nor what another program sent from the same number. */
async function untold(listed: Listed[], context: CatchUpContext): Promise<Listed[]> {
  const missing = await context.missing(listed.map(keyOf));
  const fresh = listed.filter((message) => missing.has(keyOf(message)));
  const ours = await context.ours(fresh.filter((it) => !isInbound(it)).map(({ sid }) => sid));
  return fresh.filter((message) => isInbound(message) || ours.has(message.sid));
}

/** As they were sent: the list has the newest first, and seconds only. */
function inOrder(listed: Listed[]): Listed[] {
  const sentAt = (it: Listed) => (it.dateSent ?? timeOf(it)).getTime();
  return listed.reverse().sort((one, other) => sentAt(one) - sentAt(other));
}

function isInbound({ direction }: Listed): boolean {
  return direction === 'inbound';
}

/** What the callback's event would have been recognised by. */
function keyOf(message: Listed): string {
  return isInbound(message) ? message.sid : receiptKey(message.sid, message.status);
}

function timeOf({ dateSent, dateUpdated, dateCreated }: Listed): Date {
  return dateUpdated ?? dateSent ?? dateCreated;
}

interface Receiving {
  channel: Channel<TwilioSettings>;
  context: CatchUpContext;
  read: Read;
}

async function receive(
  twilio: Twilio,
  messages: Listed[],
  { channel, context, read }: Receiving,
): Promise<void> {
  const events: Record<string, string>[] = [];
  const inbound: Inbound[] = [];
  for (const message of messages) {
    const event = await paramsOf(twilio, message, channel.settings);
    const occurredAt = message.dateSent ?? timeOf(message);
    const items = read(event).map((one) => ({ ...one, occurredAt }));
    if (items.length > 0) events.push(event);
    inbound.push(...items);
  }
  if (inbound.length === 0) return;
  const raw = { body: Buffer.from(JSON.stringify(events)), contentType: 'application/json' };
  await context.receive(raw, inbound);
}

/** The message in the words of a callback, which is how all of Twilio's is read and kept. */
async function paramsOf(
  twilio: Twilio,
  message: Listed,
  settings: TwilioSettings,
): Promise<Record<string, string>> {
  const code = message.errorCode;
  return {
    MessageSid: message.sid,
    AccountSid: message.accountSid,
    From: message.from ?? '',
    To: message.to ?? '',
    ...(isInbound(message)
      ? { SmsStatus: 'received', Body: message.body ?? '' }
      : { MessageStatus: message.status }),
    ...(code ? { ErrorCode: String(code), ErrorMessage: message.errorMessage ?? '' } : {}),
    ...(isInbound(message) ? await mediaOf(twilio, message, settings) : {}),
  };
}

async function mediaOf(
  twilio: Twilio,
  { sid, numMedia }: Listed,
  { account_sid, api_root }: TwilioSettings,
): Promise<Record<string, string>> {
  if (!(Number(numMedia) > 0)) return {};
  const media = await twilio.messages(sid).media.list({ limit: 10 });
  const files = media.flatMap((file, n): [string, string][] => [
    [`MediaUrl${n}`, `${api_root}/2010-04-01/Accounts/${account_sid}/Messages/${sid}/Media/${file.sid}`],
    [`MediaContentType${n}`, file.contentType],
  ]);
  return { NumMedia: String(media.length), ...Object.fromEntries(files) };
}
