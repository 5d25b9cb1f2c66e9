import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** What the hook is asked. */
export interface Question {
  id: string;
  type: string;
  mode: string;
  threshold: number;
  business_id: string;
  data: {
    conversation: { id: string };
    customer: { name: string | null } | null;
    messages: { id: string; seq: number; sender_type: string; content: string }[];
  };
}

type Answering = object | ((response: ServerResponse, question: Question) => void);

/** A business's AI: judges signatures by the reference library, and answers or misbehaves as told. */
export interface AiHook {
  url: string;
  /** Set once the gateway has made it. */
  secret: string;
  /** What it was asked, in order. */
  asked: Question[];
  forged: number;
  /** The questions of one conversation. */
  of(conversationId: string): Question[];
  /** How it answers in a conversation from now on; without one, everywhere else. */
  answer(how: Answering, conversationId?: string): void;
  close(): Promise<void>;
}

/** Starts the AI on a free port. */
export async function startAiHook(): Promise<AiHook> {
  const answers = new Map<string | undefined, Answering>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    let question: Question;
    try {
      const headers = request.headers as Record<string, string>;
      question = new Webhook(hook.secret).verify(Buffer.concat(chunks).toString(), headers) as Question;
      if (headers['webhook-id'] !== question.id) throw new Error('the ids differ');
    } catch {
      hook.forged += 1;
      response.writeHead(401).end();
      return;
    }
    hook.asked.push(question);
    const how = answers.get(question.data.conversation.id) ?? answers.get(undefined) ?? {};
    if (typeof how === 'function')
      return void (how as (r: ServerResponse, q: Question) => void)(response, question);
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(how));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const hook: AiHook = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/answer`,
    secret: '',
    asked: [],
    forged: 0,
    of: (id) => hook.asked.filter(({ data }) => data.conversation.id === id),
    answer: (how, conversationId) => void answers.set(conversationId, how),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return hook;
}
