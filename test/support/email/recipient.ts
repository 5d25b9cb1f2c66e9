import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { SMTPServer } from 'smtp-server';

export interface Recipient {
  port: number;
  /** Mails that were taken, raw, with their envelope. */
  taken: { from: string; to: string[]; raw: string }[];
  close(): Promise<void>;
}

/** The mail server of customers: `gone@` it does not know, `slow@` it takes later, everybody else gets their mail. */
export async function startRecipient(): Promise<Recipient> {
  const taken: Recipient['taken'] = [];
  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    hideENHANCEDSTATUSCODES: false,
    onRcptTo({ address }, _session, done) {
      if (address.startsWith('gone@')) done(Object.assign(new Error('User unknown'), { responseCode: 550 }));
      else if (address.startsWith('slow@'))
        done(Object.assign(new Error('Try later'), { responseCode: 451 }));
      else done();
    },
    onData(stream, { envelope }, done) {
      const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
      const to = envelope.rcptTo.map(({ address }) => address);
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        taken.push({ from, to, raw: Buffer.concat(chunks).toString() });
        done();
      });
    },
  });
  server.on('error', () => {});
  const listening = server.listen(0, '127.0.0.1');
  await once(listening, 'listening');
  return {
    port: (listening.address() as AddressInfo).port,
    taken,
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}
