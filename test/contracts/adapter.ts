import { inspect } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Channel, ChannelAdapter, DoorRequest } from '../../src/core/adapter.ts';
import { cardText } from '../../src/core/cards.ts';
import type { Inbound, Part } from '../../src/core/envelope.ts';
import { AppError, OutcomeUnknown, RateLimited, SendDeferred, SendRejected } from '../../src/core/errors.ts';
import { outbound } from '../support/outbound.ts';

/** What the provider's stand-in must be able to do for the suite. */
export interface ProviderHarness<Settings> {
  adapter: ChannelAdapter<Settings>;
  channel: Channel<Settings>;
  /** Texts that must never be seen outside the settings: tokens, passwords. */
  secrets: string[];
  door?: {
    /** A request as the provider sends it, with its signature. */
    signed(body: Uint8Array): DoorRequest;
    /** The same with the signature of somebody else. */
    forged(body: Uint8Array): DoorRequest;
    /** Recorded requests and what they mean, by name. */
    fixtures: Record<string, { body: Uint8Array; expected: unknown[] }>;
    /** Something that the provider may send some day and we know nothing of. */
    unknown: Uint8Array;
  };
  provider?: {
    threadKey: string;
    /** Texts that it took so far. */
    taken(): string[];
    refuseNext(kind: 'rate limit' | 'bad request' | 'bad account' | 'server error' | 'lost answer'): void;
    /** The same channel at an address where nobody listens. */
    unreachable: Channel<Settings>;
  };
  close?(): Promise<void>;
}

/** What every adapter keeps, whatever its provider. */
export function adapterContract<Settings>(
  name: string,
  create: () => Promise<ProviderHarness<Settings>>,
): void {
  describe(`the adapter contract: ${name}`, () => {
    let harness: ProviderHarness<Settings>;
    beforeAll(async () => {
      harness = await create();
    });
    afterAll(async () => {
      await harness.close?.();
    });

    it('reads its own settings back unchanged', () => {
      const { adapter, channel } = harness;
      expect(adapter.settings.parse(structuredClone(channel.settings))).toEqual(channel.settings);
    });

    it('names as secrets and hosts only members of its settings', () => {
      const { adapter, channel } = harness;
      const known = adapter.settings.safeParse(channel.settings).data as Record<string, unknown>;
      for (const key of adapter.hostKeys) expect(Object.keys(known)).toContain(key.split('.')[0]);
      expect(adapter.hostKeys.filter((key) => adapter.secretKeys.includes(key))).toEqual([]);
    });

    it('says nothing of its secrets in the account key', () => {
      const { adapter, channel, secrets } = harness;
      expect(leaks(adapter.accountKey?.(channel.settings), secrets)).toEqual([]);
    });

    it('has the members that belong together', () => {
      const { adapter } = harness;
      expect(adapter.listen === undefined).toBe(adapter.shouldListen === undefined);
      if (adapter.door === undefined) expect(adapter.acknowledge).toBeUndefined();
    });

    describe('on the way in', () => {
      it('tries its own door with a request that holds nothing', async () => {
        const { adapter, channel, door } = harness;
        const probe = adapter.door?.probe?.(channel, door?.signed(Buffer.alloc(0)).url ?? '');
        if (!door || !probe) return expect(probe).toBeUndefined();
        const request = { ...door.signed(Buffer.from(probe.body)), ...probe };
        expect(adapter.door?.verify(request, channel)).toBe(true);
        expect(await adapter.door?.parse(request, channel)).toEqual([]);
      });

      it('accepts a request of its provider and rejects a forged one', () => {
        const { adapter, channel, door } = harness;
        if (!door) return expect(adapter.door).toBeUndefined();
        const body = firstBody(door.fixtures);
        expect(adapter.door?.verify(door.signed(body), channel)).toBe(true);
        expect(adapter.door?.verify(door.forged(body), channel)).toBe(false);
        expect(adapter.door?.verify({ ...door.signed(body), headers: {} }, channel)).toBe(false);
      });

      it('reads every recorded request as what it means, and the same way each time', async () => {
        const { adapter, channel, door } = harness;
        for (const [file, { body, expected }] of Object.entries(door?.fixtures ?? {})) {
          const first = (await adapter.door?.parse(door?.signed(body) as DoorRequest, channel)) ?? [];
          const second = await adapter.door?.parse(door?.signed(body) as DoorRequest, channel);
          expect(asStored(first), file).toEqual(expected);
          expect(second, file).toEqual(first);
          checkEnvelopes(first, file);
        }
      });

      it('leaves out what it does not know, and calls a body that is none malformed', async () => {
        const { adapter, channel, door } = harness;
        if (!door) return;
        expect(await adapter.door?.parse(door.signed(door.unknown), channel)).toEqual([]);
        const broken = door.signed(Buffer.from('{"half": '));
        expect(await failureOf(async () => adapter.door?.parse(broken, channel))).toBeInstanceOf(AppError);
      });
    });

    describe('on the way out', () => {
      it('splits nothing that fits and loses no word of what does not', () => {
        const { adapter, channel, provider } = harness;
        const to = provider && { threadKey: provider.threadKey };
        const { textLength } = adapter.limits;
        expect(adapter.split(outbound({ ...to, content: 'x'.repeat(textLength) }), channel)).toHaveLength(1);
        const long = Array.from({ length: textLength }, (_, n) => `word${n}`).join(' ');
        const parts = adapter.split(outbound({ ...to, content: long }), channel);
        expect(parts.map(({ n }) => n)).toEqual(parts.map((_, n) => n));
        if (adapter.send) expect(words(parts)).toEqual(long.split(' '));
      });

      it('splits the same message the same way, into parts that can be stored', () => {
        const { adapter, channel, provider } = harness;
        const to = provider && { threadKey: provider.threadKey };
        const message = outbound({ ...to, content: 'a b c '.repeat(2000), replyToExternalId: '5001:7' });
        expect(adapter.split(message, channel)).toEqual(adapter.split(message, channel));
        for (const { payload } of adapter.split(message, channel))
          expect(JSON.parse(JSON.stringify(payload))).toEqual(payload);
      });

      it.each([
        ['that fits', ['Yes', 'No'], 1],
        ['of many choices', Array.from({ length: 15 }, (_, n) => `Choice ${n + 1}`), 0],
        ['of long labels', ['A label that is longer than any button lets it be, for sure', 'Short'], 2],
      ])('says every word of a card %s, whatever of it becomes buttons', (_name, labels, links) => {
        const { adapter, channel, provider } = harness;
        if (!adapter.send) return;
        const actions = [
          ...labels.map((label) => ({ label, action: `do:${label}` })),
          ...Array.from({ length: links }, (_, n) => ({
            label: `Link ${n}`,
            url: `https://shop.example/${n}`,
          })),
        ];
        const card = { title: 'What now?', description: 'Choose one of these.', actions };
        const to = provider && { threadKey: provider.threadKey };
        const message = outbound({ ...to, type: 'card', content: cardText(card), card });
        const said = JSON.stringify(adapter.split(message, channel).map(({ payload }) => payload));
        for (const word of [card.title, card.description, ...actions.map(({ label }) => label)])
          expect(said).toContain(word);
        for (const { url } of card.actions as { url?: string }[]) if (url) expect(said).toContain(url);
      });

      it('resolves with the provider’s id', async () => {
        const { provider } = harness;
        if (!provider) return expect(harness.adapter.send).toBeUndefined();
        const sent = await send(harness, 'accepted once');
        expect(sent?.externalId).toBeTypeOf('string');
        expect(provider.taken().filter((text) => text === 'accepted once')).toHaveLength(1);
      });

      it('tells the ways in which a send fails apart, without a word of its secrets', async () => {
        const { provider, secrets } = harness;
        if (!provider) return;
        const cases = [
          ['rate limit', RateLimited],
          ['bad request', SendRejected],
          ['bad account', SendRejected],
          ['server error', SendDeferred],
        ] as const;
        for (const [kind, type] of cases) {
          provider.refuseNext(kind);
          const error = await failureOf(() => send(harness, `refused: ${kind}`));
          expect(error, kind).toBeInstanceOf(type);
          expect(leaks(error, secrets), kind).toEqual([]);
          if (error instanceof SendRejected) expect(error.channelBroken, kind).toBe(kind === 'bad account');
          if (error instanceof RateLimited) expect(error.retryAfterMs).toBeGreaterThan(0);
        }
        expect(provider.taken().filter((text) => text.startsWith('refused'))).toEqual([]);
      });

      it('knows that nothing was sent when nobody was there', async () => {
        const { provider, secrets } = harness;
        if (!provider) return;
        const error = await failureOf(() =>
          send({ ...harness, channel: provider.unreachable }, 'nobody there'),
        );
        expect(error).toBeInstanceOf(SendDeferred);
        expect(leaks(error, secrets)).toEqual([]);
      });

      it('says that it cannot know when the answer was lost', async () => {
        const { provider, secrets } = harness;
        if (!provider) return;
        provider.refuseNext('lost answer');
        const error = await failureOf(() => send(harness, 'lost answer'));
        expect(error).toBeInstanceOf(OutcomeUnknown);
        expect(leaks(error, secrets)).toEqual([]);
        expect(provider.taken().filter((text) => text === 'lost answer')).toHaveLength(1);
      });
    });
  });
}

function firstBody(fixtures: Record<string, { body: Uint8Array }>): Uint8Array {
  const [first] = Object.values(fixtures);
  if (!first) throw new Error('a channel with a door needs fixtures');
  return first.body;
}

function asStored(inbound: Inbound[]): unknown {
  return JSON.parse(JSON.stringify(inbound));
}

function checkEnvelopes(inbound: Inbound[], file: string): void {
  expect(new Set(inbound.map(({ externalEventId }) => externalEventId)).size, file).toBe(inbound.length);
  for (const one of inbound) {
    expect(one.threadKey, file).not.toBe('');
    if (one.kind === 'message') expect(one.content, file).toBeTypeOf('string');
  }
}

function words(parts: Part[]): string[] {
  return parts.flatMap(({ payload }) =>
    String(payload['text'] ?? payload['content'])
      .trim()
      .split(/\s+/),
  );
}

async function send<S>({ adapter, channel, provider }: ProviderHarness<S>, content: string) {
  const [part] = adapter.split(outbound({ content, threadKey: provider?.threadKey ?? '' }), channel);
  return part && adapter.send?.(part, channel, new AbortController().signal);
}

async function failureOf(work: () => Promise<unknown>): Promise<unknown> {
  return work().then(
    () => new Error('it did not fail'),
    (error: unknown) => error,
  );
}

/** The secrets that can be seen in a value, its hidden members and its causes. */
function leaks(value: unknown, secrets: string[]): string[] {
  const seen = inspect(value, { depth: 10, showHidden: true, maxStringLength: null });
  return secrets.filter((secret) => seen.includes(secret));
}
