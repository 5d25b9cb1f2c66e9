import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../../support/gateway.ts';
import { type FakeTwilio, startTwilio } from '../../support/twilio.ts';

export const OURS = '+15550001111';
export const THEIRS = '+15557654321';
const PAUSE_MS = 60;
const PUBLIC_URL = 'https://chat.example';

/** A gateway whose SMS channel works at a stand-in for Twilio. */
export interface Phone {
  gateway: TestGateway;
  twilio: FakeTwilio;
  channelId: string;
  doorUrl: string;
  stop(): Promise<void>;
}

export async function startPhone(config: Record<string, unknown> = {}): Promise<Phone> {
  const gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  const twilio = await startTwilio({ route: (url) => url.replace(PUBLIC_URL, gateway.url) });
  twilio.own('number', OURS);
  const created = await gateway.call<{ id: string; webhook_url: string }>('POST', '/api/v1/channels', {
    type: 'sms',
    config: { ...twilio.config(OURS), ...config },
  });
  if (created.status !== 201) throw new Error(JSON.stringify(created.body));
  return {
    gateway,
    twilio,
    channelId: created.body.id,
    doorUrl: created.body.webhook_url,
    async stop() {
      await gateway.stop();
      await twilio.close();
    },
  };
}

/** Waits until no comparison with the provider's list is under way, nor soon due. */
export async function comparisonIsFar({ gateway, channelId }: Phone): Promise<void> {
  await eventually(async () => {
    const [row] = await gateway.pool<[{ isFar: boolean }]>`
      select catch_up_at > now() + interval '4 minutes' as "isFar" from channels where id = ${channelId}`;
    expect(row.isFar).toBe(true);
  });
}

export interface Shown {
  id: string;
  conversation_id: string;
  direction: string;
  type: string;
  content: string;
  status: string | null;
  error: { code: string; provider_code: string | null; message: string } | null;
  attachments: { id: string; state: string; content_type?: string; type: string; url: string }[];
  external_id: string | null;
  metadata: Record<string, unknown>;
}

interface ShownConversation {
  id: string;
  status: string;
  customer: { id: string; phone: string | null };
  messages: Shown[];
}

/** The one conversation with this number, once there is one that passes the check. */
export function conversationWith(
  { gateway }: Pick<Phone, 'gateway'>,
  phone: string,
  check: (conversation: ShownConversation) => void = () => {},
): Promise<ShownConversation> {
  return eventually(async () => {
    // Seldom enough for the API's rate limit, also when it takes long.
    await sleep(PAUSE_MS);
    const { body } = await gateway.call<{ data: ShownConversation[] }>(
      'GET',
      '/api/v1/conversations?limit=100',
    );
    const found = body.data.find(({ customer }) => customer?.phone === phone);
    if (found === undefined) throw new Error(`nobody at ${phone}: ${JSON.stringify(body)}`);
    const whole = await gateway.call<ShownConversation>('GET', `/api/v1/conversations/${found.id}`);
    if (whole.status !== 200) throw new Error(JSON.stringify(whole.body));
    check(whole.body);
    return whole.body;
  });
}

/** An agent's answer. */
export async function reply({ gateway }: Phone, conversationId: string, body: object): Promise<Shown> {
  const answer = await gateway.call<Shown>('POST', `/api/v1/conversations/${conversationId}/messages`, body);
  if (answer.status !== 202 && answer.status !== 201) throw new Error(JSON.stringify(answer));
  return answer.body;
}

/** The message, once it passes the check. */
export function messageOnce(
  { gateway }: Pick<Phone, 'gateway'>,
  id: string,
  check: (message: Shown & { attempts: { outcome: string; provider_code: string | null }[] }) => void,
) {
  return eventually(async () => {
    await sleep(PAUSE_MS);
    const { body } = await gateway.call<
      Shown & { attempts: { outcome: string; provider_code: string | null }[] }
    >('GET', `/api/v1/messages/${id}`);
    check(body);
    return body;
  });
}
