import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type FakeTelegram, startTelegram } from '../support/telegram.ts';

interface Result {
  ok: boolean;
  steps: { name: string; ok: boolean; detail: string }[];
}

let gateway: TestGateway;
let telegram: FakeTelegram;
let channelId: string;
beforeAll(async () => {
  gateway = await startTestGateway();
  telegram = await startTelegram();
  channelId = await connect(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await telegram.close();
});

async function connect(at: TestGateway): Promise<string> {
  const body = { type: 'telegram', config: telegram.config };
  return (await at.call<{ id: string }>('POST', '/api/v1/channels', body)).body.id;
}

const test = (id: string, at = gateway) => at.call<Result>('POST', `/api/v1/channels/${id}/test`);
const stepsOf = ({ steps }: Result) => steps.map(({ name, ok }) => `${name} ${ok ? 'works' : 'fails'}`);

describe('testing a channel', () => {
  it('shows each step of the way: settings, account, our own door, who reads', async () => {
    await eventually(async () => {
      const { status, body } = await test(channelId);
      expect(status).toBe(200);
      expect(stepsOf(body)).toEqual([
        'settings works',
        'active works',
        'provider works',
        'door works',
        'listener works',
      ]);
      expect(body.ok).toBe(true);
      expect(JSON.stringify(body)).not.toContain(telegram.token);
    });
    const left = await gateway.pool`
      select distinct status, reason from inbound_requests where channel_id = ${channelId}`;
    expect(left).toEqual([{ status: 'ignored', reason: 'nothing for us in it' }]);
    expect(await gateway.pool`select 1 from messages`).toHaveLength(0);
  });

  it('says what the provider refuses', async () => {
    telegram.fail('getMe', { code: 401, description: 'Unauthorized' });
    const { body } = await test(channelId);
    expect(body.ok).toBe(false);
    expect(stepsOf(body)).toContain('provider fails');
  });

  it('says that a channel is switched off and lets nothing in', async () => {
    await gateway.call('PATCH', `/api/v1/channels/${channelId}`, { is_active: false });
    const { body } = await test(channelId);
    expect(stepsOf(body).slice(0, 4)).toEqual([
      'settings works',
      'active fails',
      'provider works',
      'door fails',
    ]);
    await gateway.call('PATCH', `/api/v1/channels/${channelId}`, { is_active: true });
  });

  it('says that our door cannot be reached at the public address', async () => {
    const elsewhere = await startTestGateway({ publicUrl: PUBLIC_URL });
    const { body } = await test(await connect(elsewhere), elsewhere);
    await elsewhere.stop();
    const door = body.steps.find(({ name }) => name === 'door');
    expect(door).toMatchObject({
      ok: false,
      detail: expect.stringContaining(`${PUBLIC_URL}/webhooks/telegram/`),
    });
  });

  it('has less to try on a web chat', async () => {
    expect((await test(gateway.channelId)).body).toMatchObject({ ok: true, steps: { length: 2 } });
  });
});
