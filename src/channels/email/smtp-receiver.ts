import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { SMTPServer, type SMTPServerAddress, type SMTPServerSession } from 'smtp-server';
import { createSlots } from '../../core/slots.ts';
import { type Authenticator, createAuthenticator } from './authenticate.ts';
import { refusal, refuse, worstOf } from './smtp-answers.ts';
import { channelFor, deliver, MAX_BYTES, type Mailboxes } from './smtp-delivery.ts';

export interface SmtpReceiverOptions extends Mailboxes {
  host: string;
  port: number;
  /** Behind a mail server of one's own: it queues, and is answered for each recipient. */
  lmtp: boolean;
  tls: { keyFile: string; certFile: string } | undefined;
  log: { info(facts: object, message: string): void; warn(facts: object, message: string): void };
  authenticate?: Authenticator;
}

export interface SmtpReceiver {
  port: number;
  /** Takes no new mail and waits for the commits under way. */
  stop(): Promise<void>;
}

const MOST_CLIENTS = 200;
const MOST_RECIPIENTS = 100;
const LARGE_AT_ONCE = 4;
const IDLE_MS = 60_000;
const CLOSING_MS = 5_000;

/** Receives mail by SMTP or LMTP: 250 once it is stored, 451 while it cannot be, 550 for an address that is nobody's, 552 when too large. */
export async function startSmtpReceiver(options: SmtpReceiverOptions): Promise<SmtpReceiver> {
  const { host, port, tls, lmtp, log } = options;
  const [room, turns] = [createSlots(LARGE_AT_ONCE), createSlots(1)];
  const authenticate = options.authenticate ?? createAuthenticator('tributary');
  const deliveries = new Set<Promise<void>>();
  const server = new SMTPServer({
    ...(await certificateOf(tls)),
    lmtp,
    size: MAX_BYTES,
    banner: 'Tributary',
    authOptional: true,
    disabledCommands: tls === undefined ? ['AUTH', 'STARTTLS'] : ['AUTH'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    maxClients: MOST_CLIENTS,
    socketTimeout: IDLE_MS,
    closeTimeout: CLOSING_MS,
    logger: false,
    onRcptTo(address, session, done) {
      checkRecipient(address, session, options).then(() => done(), done);
    },
    onData(stream, session, done) {
      const delivery = deliver(stream, session, { ...options, room, turns, authenticate }).then(
        (answers) => (lmtp ? done(null, answers as never) : done(worstOf(answers), 'stored')),
        (error: unknown) => done(refusal(error)),
      );
      deliveries.add(delivery);
      void delivery.finally(() => deliveries.delete(delivery));
    },
  });
  // A client that goes away in the middle is no trouble of ours.
  server.on('error', (error: NodeJS.ErrnoException) =>
    log.info({ code: error.code }, 'an SMTP client was cut off'),
  );
  const listening = server.listen(port, host);
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    async stop() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all(deliveries);
      await closed;
    },
  };
}

async function certificateOf(tls: SmtpReceiverOptions['tls']) {
  return tls && { key: await readFile(tls.keyFile), cert: await readFile(tls.certFile) };
}

async function checkRecipient(
  { address }: SMTPServerAddress,
  { envelope }: SMTPServerSession,
  options: SmtpReceiverOptions,
): Promise<void> {
  if (envelope.rcptTo.length >= MOST_RECIPIENTS) throw refuse(452, 'Too many recipients');
  const channel = await channelFor(address, options).catch((error) => Promise.reject(refusal(error)));
  if (channel === undefined) throw refuse(550, 'No such mailbox here');
}
