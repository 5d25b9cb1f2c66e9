import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { simpleParser } from 'mailparser';
import { SMTPServer } from 'smtp-server';
import { until } from '../until.ts';
import { refusalOf } from './rules.ts';

export interface TakenMail {
  from: string;
  to: string[];
  raw: Buffer;
  /** Whether it came over an encrypted connection. */
  isEncrypted: boolean;
  user: string | undefined;
}

export interface MailServer {
  port: number;
  taken: TakenMail[];
  /** How many connections have been made to it. */
  connections(): number;
  /** Answers the next `times` mails to this recipient so. */
  refuse(recipient: string, answer: { code: number; text: string; times?: number }): void;
  /** Lets nobody in at the next connection, and closes those that are open. */
  refuseNextSignIn(): void;
  /** Takes the next mail and closes the connection instead of saying so. */
  loseNextAnswer(): void;
  /** Sends the next client away at once. */
  greetNext(answer: { code: number; text: string }): void;
  /** Takes the next mail in these words, which come behind the 250. */
  takeNextAs(words: string): void;
  /** The mail that comes next, as its reader sees it; `count` mails are there then. */
  mail(count?: number): Promise<Awaited<ReturnType<typeof simpleParser>> & { taken: TakenMail }>;
  close(): Promise<void>;
}

interface ServerOptions {
  credentials?: { user: string; pass: string };
  size?: number;
  /** TLS from the first byte, as on port 465. */
  secure?: boolean;
}

/** Somebody else's mail server, on a port of its own. */
export async function startMailServer({
  credentials,
  size,
  secure = false,
}: ServerOptions = {}): Promise<MailServer> {
  const taken: TakenMail[] = [];
  const refusals = new Map<string, { code: number; text: string; times: number }>();
  let connections = 0;
  let losesAnswer = false;
  let greeting: { code: number; text: string } | undefined;
  let words: string | undefined;
  let refusesSignIn = false;
  const server = new SMTPServer({
    ...certificate(),
    secure,
    closeTimeout: 1_000,
    authOptional: credentials === undefined,
    allowInsecureAuth: true,
    authMethods: ['XOAUTH2', 'PLAIN', 'LOGIN'],
    ...(size === undefined ? {} : { size }),
    onConnect(_session, done) {
      connections += 1;
      const answer = greeting;
      greeting = undefined;
      done(answer && Object.assign(new Error(answer.text), { responseCode: answer.code }));
    },
    onAuth({ username, password, accessToken }, _session, done) {
      const isRefused = refusesSignIn;
      refusesSignIn = false;
      const isRight =
        !isRefused && username === credentials?.user && (password ?? accessToken) === credentials?.pass;
      done(isRight ? null : Object.assign(new Error('Authentication failed'), { responseCode: 535 }), {
        user: username ?? '',
      });
    },
    onRcptTo({ address }, _session, done) {
      const refusal = refusals.get(address);
      if (refusal === undefined || refusal.times === 0) return done();
      refusal.times -= 1;
      done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
    },
    onData(stream, session, done) {
      const { mailFrom, rcptTo } = session.envelope;
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      const args = mailFrom === false ? {} : (mailFrom.args as Record<string, unknown> | false) || {};
      stream.on('end', () => {
        const raw = Buffer.concat(chunks);
        const announced = { is8Bit: args['BODY'] === '8BITMIME', isUtf8: args['SMTPUTF8'] === true, size };
        const refusal = refusalOf(raw, announced);
        if (refusal !== undefined)
          return done(Object.assign(new Error(refusal.text), { responseCode: refusal.code }));
        taken.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          raw,
          isEncrypted: session.secure,
          user: session.user,
        });
        const said = words;
        words = undefined;
        if (!losesAnswer) return done(null, said);
        losesAnswer = false;
        disconnect((id) => id === session.id);
      });
    },
  });
  function disconnect(which: (id: string) => boolean): void {
    const open = [...server.connections] as unknown as { id: string; _socket: { destroy(): void } }[];
    for (const one of open.filter(({ id }) => which(id))) one._socket.destroy();
  }
  server.on('error', () => undefined);
  server.listen(0, '127.0.0.1');
  await once(server.server, 'listening');
  return {
    port: (server.server.address() as AddressInfo).port,
    taken,
    connections: () => connections,
    refuse(recipient, { times = Number.POSITIVE_INFINITY, ...answer }) {
      refusals.set(recipient, { ...answer, times });
    },
    refuseNextSignIn() {
      refusesSignIn = true;
      disconnect(() => true);
    },
    loseNextAnswer() {
      losesAnswer = true;
    },
    greetNext(answer) {
      greeting = answer;
    },
    takeNextAs(next) {
      words = next;
    },
    async mail(count = taken.length + 1) {
      await until(() => taken.length >= count, 15_000);
      const last = taken[count - 1] as TakenMail;
      const options = { skipHtmlToText: true, skipTextToHtml: true, keepCidLinks: true };
      return { ...(await simpleParser(last.raw, options)), taken: last };
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

/** A certificate that nobody vouches for. */
function certificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'tributary-mail-server-'));
  const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
  const subject = ['-subj', '/CN=mail.customer.test', '-days', '2', '-nodes'];
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1'];
  execFileSync('openssl', ['req', '-x509', ...curve, '-keyout', key, '-out', cert, ...subject], {
    stdio: 'ignore',
  });
  const pair = { key: readFileSync(key), cert: readFileSync(cert) };
  rmSync(folder, { recursive: true });
  return pair;
}
