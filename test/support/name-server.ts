import { createSocket } from 'node:dgram';
import { Resolver } from 'node:dns/promises';
import { once } from 'node:events';
import type { Lookup } from '../../src/core/egress/lookup.ts';

export interface NameServer {
  /** What each question is answered with, one after the other; the last answer stays. */
  answers: string[][];
  asked: number;
  /** Questions with this in their name get no answer. */
  silence: RegExp | undefined;
  /** Questions with this in their name are refused. */
  refusal: RegExp | undefined;
  /** As a resolver is told of it. */
  address: string;
  /** Asks this server, and no other. */
  lookup: Lookup;
  close(): Promise<void>;
}

/** A name server of the test's own on loopback that answers each question for an address differently. */
export async function startNameServer(): Promise<NameServer> {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const resolver = new Resolver({ timeout: 1_000, tries: 2 });
  const server: NameServer = {
    answers: [],
    asked: 0,
    silence: undefined,
    refusal: undefined,
    address: `127.0.0.1:${socket.address().port}`,
    async lookup(hostname) {
      const addresses = await resolver.resolve4(hostname);
      return addresses.map((address) => ({ address, family: 4 }));
    },
    async close() {
      resolver.cancel();
      socket.close();
      await once(socket, 'close');
    },
  };
  resolver.setServers([server.address]);
  socket.on('message', (question, { port, address }) => {
    if (server.silence?.test(question.toString('latin1'))) return;
    if (server.refusal?.test(question.toString('latin1')))
      return void socket.send(answerTo(question, [], REFUSED), port, address);
    const addresses = server.answers[Math.min(server.asked, server.answers.length - 1)] ?? [];
    server.asked += 1;
    socket.send(answerTo(question, addresses), port, address);
  });
  return server;
}

const HEADER_BYTES = 12;
const REFUSED = 5;

/** RFC 1035, as little as a resolver needs: the question repeated, and an A record for each address. */
function answerTo(question: Buffer, addresses: readonly string[], code = 0): Buffer {
  const end = question.indexOf(0, HEADER_BYTES) + 5;
  const header = Buffer.from(question.subarray(0, HEADER_BYTES));
  header.writeUInt16BE(0x8180 | code, 2);
  header.writeUInt16BE(addresses.length, 6);
  header.writeUInt32BE(0, 8);
  const records = addresses.map((address) =>
    Buffer.from([0xc0, HEADER_BYTES, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([header, question.subarray(HEADER_BYTES, end), ...records]);
}
