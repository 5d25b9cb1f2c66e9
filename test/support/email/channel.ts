import type { TestGateway } from '../gateway.ts';

interface Message {
  id: string;
  seq: number;
  direction: string;
  conversation_id: string;
  content: string;
  html: string | null;
  text_full: string | null;
  status: string | null;
  error: { code: string; provider_code: string | null; message: string } | null;
  metadata: Record<string, unknown>;
  email: Record<string, unknown> | null;
  reply_to_id: string | null;
  sender: { id: string; name: string | null };
  attachments: { name: string; type: string; size: number; state: string; url: string | null }[];
}

interface Conversation {
  id: string;
  status: string;
  subject: string | null;
  unread_count: number;
  customer: { id: string; email: string; name: string | null };
  participants: { id: string }[];
  messages: Message[];
}

export interface EmailChannel {
  id: string;
  address: string;
  secret: string;
  /** Posts a mail to the channel's door. */
  post(mail: string | Uint8Array, headers?: Record<string, string>): Promise<number>;
  conversations(): Promise<Conversation[]>;
  conversation(id: string): Promise<Conversation>;
}

export const INBOUND_SECRET = 'a secret of the mail tests';

/** An email channel of the business; nothing is sent unless `config` says where. */
export async function emailChannel(
  gateway: TestGateway,
  config: Record<string, unknown> & { address: string },
): Promise<EmailChannel> {
  const { status, body } = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
    type: 'email',
    name: config.address,
    config: { smtp: { host: '127.0.0.1', port: 1 }, inbound_secret: INBOUND_SECRET, ...config },
  });
  if (status !== 201) throw new Error(`no channel: ${status} ${JSON.stringify(body)}`);
  const { id } = body;
  const conversation = async (of: string) =>
    (await gateway.call<Conversation>('GET', `/api/v1/conversations/${of}`)).body;
  return {
    id,
    address: config.address,
    secret: INBOUND_SECRET,
    conversation,
    async post(mail, headers = {}) {
      const answer = await gateway.call('POST', `/webhooks/email/${id}`, Buffer.from(mail as string), {
        key: INBOUND_SECRET,
        headers: { 'content-type': 'message/rfc822', ...headers },
      });
      return answer.status;
    },
    async conversations() {
      const { body: list } = await gateway.call<{ data: { id: string }[] }>(
        'GET',
        `/api/v1/conversations/?channel_id=${id}`,
      );
      return Promise.all(list.data.map((one) => conversation(one.id)));
    },
  };
}
