import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { telegramAdapter } from '../../src/channels/telegram/adapter.ts';
import type { Actor } from '../../src/core/actor.ts';
import type { ChannelAdapter, ListenContext } from '../../src/core/adapter.ts';
import { createBusiness } from '../../src/core/businesses.ts';
import { SendRejected } from '../../src/core/errors.ts';
import { startListeners } from '../../src/core/listeners.ts';
import { startCore } from '../support/core.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { fakeUser, startTelegram, update } from '../support/telegram.ts';
import { until } from '../support/until.ts';

/** A source of the test's own: what is written to it is received, and it notes who listens. */
function createSource() {
  const listening = new Set<string>();
  const opened: { token: string; state: Record<string, unknown> }[] = [];
  let refusals: unknown[] = [];
  let most = 0;
  const contexts: ListenContext[] = [];
  const adapter: ChannelAdapter<{ token: string }> = {
    type: 'source',
    settings: z.object({ token: z.string() }),
    secretKeys: ['token'],
    hostKeys: [],
    limits: { textLength: 100, inboundBytes: 100, outboundBytes: 100 },
    opensThreads: false,
    sendIsIdempotent: false,
    door: { verify: () => false, parse: () => [] },
    split: () => [],
    shouldListen: (_channel, doorUrl) => doorUrl === undefined,
    async listen({ settings }, context) {
      opened.push({ token: settings.token, state: context.state });
      const refusal = refusals.shift();
      if (refusal !== undefined) throw refusal;
      const me = `${settings.token} ${opened.length}`;
      listening.add(me);
      contexts.push(context);
      most = Math.max(most, listening.size);
      await new Promise((resolve) => context.signal.addEventListener('abort', resolve));
      listening.delete(me);
    },
  };
  return {
    adapter,
    listening,
    opened,
    contexts,
    mostAtOnce: () => most,
    refuse: (...errors: unknown[]) => {
      refusals = errors;
    },
  };
}

let database: TestDatabase;
const cleanups: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** One process: its wake, channels and listeners, on the shared database. */
async function startProcess(source = createSource(), publicUrl?: string) {
  const core = await startCore(database.pool, {
    egress: { allow: ['127.0.0.0/8'] },
    publicUrl,
    adapters: (egress) =>
      new Map<string, ChannelAdapter>([
        ['telegram', telegramAdapter({ egress })],
        ['source', source.adapter],
      ]),
  });
  const listeners = startListeners({ ...core, leaseMs: 600 });
  let stopped: Promise<void> | undefined;
  const stop = () => {
    stopped ??= listeners.stop();
    return stopped;
  };
  cleanups.push(async () => {
    await stop();
    await core.stop();
  });
  return { ...core, source, stop };
}

type Process = Awaited<ReturnType<typeof startProcess>>;

async function connectChannel(
  { transact, channels, wake }: Process,
  type: string,
  config: Record<string, unknown>,
) {
  const { business } = await transact((tx) => createBusiness(tx, { name: 'Acme' }));
  const actor: Actor = { businessId: business.id, apiKeyId: business.id, agentId: null, role: 'owner' };
  const { loaded } = await transact((tx) => channels.create(tx, actor, { type, config }));
  const { id } = loaded.row;
  wake.notify('channel', id);
  cleanups.push(() => database.pool`update channels set is_active = false where id = ${id}`);
  const change = async (changes: Record<string, unknown>) => {
    await transact((tx) => channels.change(tx, actor, { id, ...changes }));
    wake.notify('channel', id);
  };
  return { id, change };
}

const stateOf = async (id: string) => {
  const [row] = await database.pool`select listen_state from channels where id = ${id}`;
  return row?.['listen_state'];
};

describe('listening to sources', () => {
  it('stores what a polled bot is told and remembers how far it got', async () => {
    const telegram = await startTelegram();
    const process = await startProcess();
    const { id } = await connectChannel(process, 'telegram', telegram.config);
    const from = fakeUser({ first_name: 'Ada' });
    telegram.push(update.text({ from, text: 'one' }));
    const last = telegram.push(update.text({ from, text: 'two' }));
    await telegram.inbox.drained();
    const rows = await database.pool`select content, seq from messages where channel_id = ${id} order by seq`;
    expect(rows).toEqual([
      { content: 'one', seq: 1 },
      { content: 'two', seq: 2 },
    ]);
    expect(await stateOf(id)).toEqual({ bot_id: '123456', offset: last.update_id + 1 });
    await process.stop();
    await telegram.close();
  });

  it('starts, restarts and stops with its channel', async () => {
    const process = await startProcess();
    const { source } = process;
    const { change } = await connectChannel(process, 'source', { token: 'first' });
    await until(() => source.listening.size === 1);
    await change({ config: { token: 'second' } });
    await until(() => [...source.listening].some((name) => name.startsWith('second')));
    expect(source.listening.size).toBe(1);
    await change({ name: 'another name' });
    await change({ is_active: false });
    await until(() => source.listening.size === 0);
    expect(source.opened.map(({ token }) => token)).toEqual(['first', 'second']);
  });

  it('leaves alone what has a public door', async () => {
    const process = await startProcess(createSource(), 'https://chat.example');
    await connectChannel(process, 'source', { token: 'doors' });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(process.source.opened).toEqual([]);
  });

  it('listens in one process at a time, and another takes over', async () => {
    const source = createSource();
    const first = await startProcess(source);
    await connectChannel(first, 'source', { token: 'shared' });
    await until(() => source.listening.size === 1);
    const second = await startProcess(source);
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(source.mostAtOnce()).toBe(1);
    await first.stop();
    await until(() => source.listening.size === 1);
    expect(source.mostAtOnce()).toBe(1);
    await second.stop();
    expect(source.listening.size).toBe(0);
  });

  it('goes on from the saved state', async () => {
    const source = createSource();
    const first = await startProcess(source);
    const { id } = await connectChannel(first, 'source', { token: 'stateful' });
    await until(() => source.contexts.length === 1);
    await source.contexts[0]?.saveState({ uid: 77 });
    await first.stop();
    await startProcess(source);
    await until(() => source.opened.length === 2);
    expect(source.opened[1]?.state).toEqual({ uid: 77 });
    expect(await stateOf(id)).toEqual({ uid: 77 });
  });

  it('opens a source again that failed, and notes an account that is refused', async () => {
    const source = createSource();
    source.refuse(
      new Error('connection lost'),
      new SendRejected('The token was revoked.', { channelBroken: true }),
    );
    const process = await startProcess(source);
    const { id } = await connectChannel(process, 'source', { token: 'flaky' });
    await until(() => source.listening.size === 1);
    expect(source.opened).toHaveLength(3);
    const [row] = await database.pool`select broken_reason from channels where id = ${id}`;
    expect(row?.['broken_reason']).toBe('The token was revoked.');
  });

  it('receives as its channel and stops only after that is committed', async () => {
    const process = await startProcess();
    const { id } = await connectChannel(process, 'source', { token: 'committing' });
    await until(() => process.source.contexts.length === 1);
    const message = {
      kind: 'message' as const,
      externalEventId: 'e1',
      threadKey: 't1',
      sender: { address: 'a1', kind: 'user' },
      type: 'text' as const,
      content: 'hello',
    };
    const receiving = process.source.contexts[0]?.receive(
      { body: Buffer.from('{}'), contentType: 'application/json' },
      [message],
    );
    await Promise.all([receiving, process.stop()]);
    const rows = await database.pool`select content from messages where channel_id = ${id}`;
    expect(rows).toEqual([{ content: 'hello' }]);
  });
});
