import { type AiHook, startAiHook } from '../support/ai-hook.ts';
import { type CallbackProgram, startCallback } from '../support/callback.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';

export interface Message {
  id: string;
  seq: number;
  direction: string;
  sender_type: string;
  type: string;
  content: string;
  status: string | null;
  metadata: Record<string, unknown>;
}

export interface Conversation {
  id: string;
  status: string;
  assignee_id: string | null;
  needs_human_handoff: boolean;
  handoff_reason: string | null;
  first_response_at: string | null;
  messages: Message[];
}

/** A gateway with a channel `api`, whose customers it hears, and an AI to ask. */
export interface Scene {
  gateway: TestGateway;
  program: CallbackProgram;
  hook: AiHook;
  channelId: string;
  /** A request with the owner's key that has to succeed. */
  ok<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** What a customer writes; a new one unless told otherwise. Resolves with the conversation. */
  say(content: string, fields?: Record<string, unknown>): Promise<string>;
  conversation(id: string): Promise<Conversation>;
  /** The conversations on the list of those that wait for a person. */
  pending(): Promise<string[]>;
  /** What reached the customer, in order. */
  sent(conversationId: string): string[];
  /** How the turns of the AI in a conversation ended, in order. */
  turns(conversationId: string): Promise<string[]>;
  setHook(fields: Record<string, unknown>): Promise<void>;
  stop(): Promise<void>;
}

/** Starts everything; the hook is asked once `setHook` was called. */
export async function startScene(): Promise<Scene> {
  const gateway = await startTestGateway();
  const [program, hook] = await Promise.all([startCallback(), startAiHook()]);
  let people = 0;
  const threads = new Map<string, string>();

  async function ok<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await gateway.call<T>(method, `/api/v1${path}`, body);
    if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
    return answer.body;
  }

  const channel = await ok<{ id: string }>('POST', '/channels', {
    type: 'api',
    name: 'Our app',
    config: { callback_url: program.url, secret: program.secret },
  });

  return {
    gateway,
    program,
    hook,
    channelId: channel.id,
    ok,
    async say(content, fields = {}) {
      people += 1;
      const { sender = { external_id: `person-${people}`, name: `Person ${people}` }, ...others } = fields;
      const { external_id: thread_id } = sender as { external_id: string };
      const body = { external_id: `m-${people}`, sender, thread_id, content, ...others };
      const headers = { authorization: `Bearer ${program.secret}` };
      const path = `/webhooks/api/${channel.id}`;
      const answer = await gateway.call<{ data: { conversation_id: string }[] }>('POST', path, body, {
        key: null,
        headers,
      });
      const [accepted] = answer.body.data;
      if (accepted === undefined) throw new Error(JSON.stringify(answer.body));
      threads.set(accepted.conversation_id, thread_id);
      return accepted.conversation_id;
    },
    conversation: (id) => ok('GET', `/conversations/${id}`),
    async pending() {
      return (await ok<{ data: Conversation[] }>('GET', '/team/pending-handoffs')).data.map(({ id }) => id);
    },
    sent: (id) =>
      program.taken
        .filter(({ type, data }) => type === 'message' && data.thread_id === threads.get(id))
        .map(({ data }) => data.message.content),
    async turns(id) {
      const rows = await gateway.pool<{ state: string }[]>`
        select state from ai_turns where conversation_id = ${id} order by id`;
      return rows.map(({ state }) => state);
    },
    async setHook(fields) {
      const { secret } = await ok<{ secret?: string }>('PUT', '/business/ai', { url: hook.url, ...fields });
      hook.secret = secret ?? hook.secret;
    },
    async stop() {
      await gateway.stop();
      await Promise.all([program.close(), hook.close()]);
    },
  };
}
