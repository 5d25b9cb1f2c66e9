import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What our channel `api` posts. */
export interface Posted {
  id: string;
  type: string;
  timestamp: string;
  channel_id: string;
  // A test reads what it expects; a wrong shape fails there.
  // biome-ignore lint/suspicious/noExplicitAny: of any type
  data: any;
}

/** A business's own program: takes what is signed with its secret, and nothing else. */
export interface CallbackProgram {
  url: string;
  secret: string;
  /** What it took, in order. */
  taken: Posted[];
  /** How many requests came with a signature that is not genuine. */
  forged: number;
  /** How the next request is answered, instead of being taken. */
  answerNext(answer: (response: ServerResponse) => void): void;
  close(): Promise<void>;
}

/** Starts the program on a free port; signatures are judged by the reference library. */
export async function startCallback(
  secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
): Promise<CallbackProgram> {
  const webhook = new Webhook(secret);
  const waiting: ((response: ServerResponse) => void)[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks).toString();
    let posted: Posted;
    try {
      posted = webhook.verify(body, request.headers as Record<string, string>) as Posted;
    } catch {
      program.forged += 1;
      response.writeHead(401).end();
      return;
    }
    const answer = waiting.shift();
    if (answer !== undefined) return answer(response);
    program.taken.push(posted);
    response.writeHead(204).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const program: CallbackProgram = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/callback?v=1`,
    secret,
    taken: [],
    forged: 0,
    answerNext: (answer) => void waiting.push(answer),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return program;
}
