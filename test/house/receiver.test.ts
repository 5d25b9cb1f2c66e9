import { afterEach, describe, expect, it } from 'vitest';
import { startTestGateway } from '../support/gateway.ts';
import { type Program, startProgram } from '../support/program.ts';
import { until } from '../support/until.ts';

/* `npm run receiver`, as a person runs it beside the gateway. */

let receiver: Program | undefined;

afterEach(async () => {
  await receiver?.stop('SIGKILL');
});

describe('npm run receiver', () => {
  it('subscribes itself, verifies and prints what arrives, and leaves nothing behind', async () => {
    const gateway = await startTestGateway();
    try {
      const subscribed = startReceiver('--gateway', gateway.url, '--key', gateway.apiKey, '--port', '0');
      receiver = await subscribed;
      await gateway.call('POST', '/api/v1/customers', { name: 'Ada' });
      await until(() => /^verified {2}customer\.created {2}\S+ {2}try 1/m.test(receiver?.output() ?? ''));
      await receiver.stop('SIGTERM');
      const list = await gateway.call<{ data: object[] }>('GET', '/api/v1/webhook-endpoints');
      expect(list.body.data).toEqual([]);
    } finally {
      await gateway.stop();
    }
  });

  it('with a secret of yours only listens, and refuses what is not signed with it', async () => {
    receiver = await startReceiver('--secret', `whsec_${Buffer.alloc(24).toString('base64')}`, '--port', '0');
    const url = /Listening at (\S+)/.exec(receiver.output())?.[1] ?? '';
    const answer = await fetch(url, { method: 'POST', body: '{"type":"message.received"}' });
    expect(answer.status).toBe(401);
    expect(receiver.output()).toContain('NOT VERIFIED  message.received');
  });
});

function startReceiver(...args: string[]): Promise<Program> {
  return startProgram(
    {},
    { command: [process.execPath, 'scripts/receiver.ts', ...args], readyWhen: /^Listening at/m },
  );
}
