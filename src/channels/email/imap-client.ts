import type { ImapFlow } from 'imapflow';
import type { Channel } from '../../core/adapter.ts';
import type { EgressGuard } from '../../core/egress.ts';
import { SendRejected } from '../../core/errors.ts';
import type { AccessTokens } from './oauth.ts';
import type { EmailSettings, ImapSettings } from './settings.ts';

export interface ImapConnecting {
  egress: Pick<EgressGuard, 'connect'>;
  accessTokens: AccessTokens;
}

const MEGABYTE = 1024 * 1024;
const CONNECT_TIMEOUT_MS = 15_000;
const IDLE_RENEWED_MS = 9 * 60_000;

/** Signs in to a channel's mailbox. Throws SendRejected with `channelBroken` when the server refuses the account. */
export async function connectImap(
  channel: Channel<EmailSettings>,
  connecting: ImapConnecting,
): Promise<ImapFlow> {
  const { imap, oauth } = channel.settings;
  if (imap === undefined) throw new Error('the channel has no mailbox');
  try {
    return await signIn(channel, imap, connecting);
  } catch (error) {
    if (oauth === undefined || !isRefused(error)) throw explained(error, imap);
    // The token may have been taken back before its time: once with a new one.
    connecting.accessTokens.forget(channel);
    return signIn(channel, imap, connecting).catch((again: unknown) =>
      Promise.reject(explained(again, imap)),
    );
  }
}

async function signIn(
  channel: Channel<EmailSettings>,
  imap: ImapSettings,
  { egress, accessTokens }: ImapConnecting,
): Promise<ImapFlow> {
  const { ImapFlow } = await import('imapflow');
  const accessToken = await accessTokens.token(channel);
  const client = new ImapFlow({
    host: await vettedAddress(imap, egress),
    servername: imap.host,
    port: imap.port,
    secure: imap.secure,
    auth: { user: imap.user, ...(accessToken === undefined ? { pass: imap.pass ?? '' } : { accessToken }) },
    tls: { servername: imap.host },
    logger: false,
    disableAutoIdle: true,
    maxIdleTime: IDLE_RENEWED_MS,
    connectionTimeout: CONNECT_TIMEOUT_MS,
    greetingTimeout: CONNECT_TIMEOUT_MS,
    maxLiteralSize: 64 * MEGABYTE,
    maxLineLength: MEGABYTE,
    clientInfo: { name: 'Tributary' },
  });
  // Whoever waits for it hears of a lost connection; without a listener the process would end.
  client.on('error', () => {});
  try {
    await client.connect();
    return client;
  } catch (error) {
    client.close();
    throw error;
  }
}

/** The library dials by itself: it gets the one address that the guard has let through. */
async function vettedAddress(
  { host, port }: ImapSettings,
  egress: Pick<EgressGuard, 'connect'>,
): Promise<string> {
  const socket = await egress.connect(host, port);
  const address = socket.remoteAddress ?? host;
  socket.destroy();
  return address;
}

interface ImapError {
  authenticationFailed?: boolean;
  serverResponseCode?: string;
  responseText?: string;
  code?: string;
  message?: string;
}

const MAY_PASS = /temporar|unavailable|try again|internal|too many|in use/i;

function isRefused(error: unknown): boolean {
  const { authenticationFailed, serverResponseCode = '', responseText = '' } = (error ?? {}) as ImapError;
  return authenticationFailed === true && !MAY_PASS.test(`${serverResponseCode} ${responseText}`);
}

/** Without the server's own words: some repeat what they were told. */
function explained(error: unknown, { host }: ImapSettings): Error {
  if (error instanceof SendRejected) return error;
  if (isRefused(error))
    return new SendRejected(`${host} refuses the user or the password of the mailbox.`, {
      channelBroken: true,
    });
  const { code, message } = (error ?? {}) as ImapError;
  return new Error(`The mailbox at ${host} cannot be reached: ${code ?? message ?? 'unknown'}.`);
}
