import { createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import type { Transporter } from 'nodemailer';
import type SMTPPool from 'nodemailer/lib/smtp-pool/index.js';
import type { Channel } from '../../core/adapter.ts';
import type { EgressGuard } from '../../core/egress.ts';
import type { AccessTokens } from './oauth.ts';
import type { EmailSettings } from './settings.ts';

export type Sent = SMTPPool.SentMessageInfo;
export type Transport = Transporter<Sent, SMTPPool.Options>;

export interface Sending {
  egress: Pick<EgressGuard, 'connect'>;
  accessTokens: AccessTokens;
}

interface Pooled {
  /** Of which settings it is. */
  key: string;
  transport: Transport;
  usedAt: number;
}

const IDLE_MS = 120_000;

/** A pool of connections for each channel, until its settings change or nobody uses it for a while. */
export function createTransports(sending: Sending): (channel: Channel<EmailSettings>) => Promise<Transport> {
  const pools = new Map<string, Pooled>();

  function closeIdle(): void {
    for (const [id, { transport, usedAt }] of pools) {
      if (Date.now() - usedAt < IDLE_MS) continue;
      pools.delete(id);
      transport.close();
    }
  }
  setInterval(closeIdle, IDLE_MS).unref();

  return async (channel) => {
    const { createTransport } = await import('nodemailer');
    const accessToken = await sending.accessTokens.token(channel);
    const { smtp, dkim } = channel.settings;
    const key = createHash('sha256')
      .update(JSON.stringify([smtp, dkim, accessToken]))
      .digest('base64');
    const pooled = pools.get(channel.id);
    if (pooled?.key === key) {
      pooled.usedAt = Date.now();
      return pooled.transport;
    }
    pooled?.transport.close();
    const transport = createTransport(poolOptions(channel.settings, accessToken, sending));
    // A connection that breaks while nothing is sent over it concerns nobody: the next mail opens another.
    transport.on('error', () => undefined);
    pools.set(channel.id, { key, transport, usedAt: Date.now() });
    return transport;
  };
}

type GiveSocket = (error: Error | null, socket: { connection: Socket } | undefined) => void;

const TIMES = {
  greetingTimeout: 20_000,
  socketTimeout: 60_000,
  connectionTimeout: 10_000,
  dnsTimeout: 5_000,
};

function poolOptions(
  { smtp, dkim, oauth, imap, address }: EmailSettings,
  accessToken: string | undefined,
  { egress }: Sending,
): SMTPPool.Options {
  const user = smtp.user ?? (oauth === undefined ? undefined : (imap?.user ?? address));
  return {
    ...TIMES,
    pool: true,
    maxConnections: 3,
    maxMessages: 100,
    host: smtp.host,
    port: smtp.port,
    secure: smtp.secure,
    name: address.slice(address.lastIndexOf('@') + 1),
    ...authOf({ user, pass: smtp.pass, accessToken }),
    ...encryptionOf(smtp.host, user !== undefined),
    ...(dkim === undefined
      ? {}
      : { dkim: { domainName: dkim.domain, keySelector: dkim.selector, privateKey: dkim.private_key } }),
    disableFileAccess: true,
    disableUrlAccess: true,
    getSocket: (_options: SMTPPool.Options, give: GiveSocket) => {
      egress.connect(smtp.host, smtp.port).then(
        // What waits in the pool keeps no process from stopping.
        (socket) => give(null, { connection: socket.unref() }),
        (error: Error) => give(error, undefined),
      );
    },
  };
}

interface Credentials {
  user: string | undefined;
  pass: string | undefined;
  accessToken: string | undefined;
}

function authOf({ user, pass, accessToken }: Credentials): Pick<SMTPPool.Options, 'auth'> {
  if (user === undefined) return {};
  if (accessToken !== undefined) return { auth: { type: 'OAuth2', user, accessToken } };
  return { auth: { user, pass: pass ?? '' } };
}

/** A password goes over nothing that others can read; between servers of one network without one, encryption is a courtesy. */
function encryptionOf(host: string, hasPassword: boolean): Pick<SMTPPool.Options, 'requireTLS' | 'tls'> {
  const isHere = /^(localhost|127(\.\d+){3}|::1)$/i.test(host);
  return { requireTLS: hasPassword && !isHere, tls: { rejectUnauthorized: hasPassword && !isHere } };
}
