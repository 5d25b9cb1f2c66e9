import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { applyReceipt, partSent } from '../../src/core/messages/receipts.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fakeUser, update } from '../support/telegram.ts';

interface Message {
  id: string;
  status: string;
  content: string;
  external_id: string | null;
  blocked_by: string | null;
  next_attempt_at: string | null;
  sent_at: string | null;
  delivered_at: string | null;
  read_at: string | null;
  error: { code: string; provider_code: string | null; message: string; retryable: boolean } | null;
  attempts: {
    number: number;
    part: number;
    outcome: string | null;
    provider_code: string | null;
    meaning: string;
  }[];
}

let gateway: TestGateway;
let door: Door;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
});
afterEach(() => door.telegram.heal());
afterAll(async () => {
  await gateway.stop();
  await door.close();
});

interface Chat {
  id: number;
  conversationId: string;
}

/** A conversation that a customer has begun. */
async function chat(at: Door = door): Promise<Chat> {
  const from = fakeUser();
  expect(await at.post(update.text({ from }))).toBe(200);
  const [row] = await gateway.pool<{ id: string }[]>`
    select id from conversations where channel_id = ${at.channelId} and thread_key = ${String(from.id)}`;
  return { id: from.id, conversationId: row?.id ?? '' };
}

async function write({ conversationId }: Chat, content: string): Promise<string> {
  const path = `/api/v1/conversations/${conversationId}/messages`;
  const answer = await gateway.call<Message>('POST', path, { content });
  expect([answer.status, answer.body.status]).toEqual([202, 'queued']);
  return answer.body.id;
}

const read = async (id: string) => (await gateway.call<Message>('GET', `/api/v1/messages/${id}`)).body;

// By the database, for the API would count every look.
async function reaches(id: string, status: string, withinMs = 10_000): Promise<Message> {
  await eventually(async () => {
    const [row] = await gateway.pool`select status from messages where id = ${id}`;
    expect(row).toEqual({ status });
  }, withinMs);
  return read(id);
}

async function tried(id: string, outcome: string): Promise<void> {
  await eventually(async () => {
    const rows =
      await gateway.pool`select outcome from attempts where subject_id = ${id} and outcome = ${outcome}`;
    expect(rows).not.toHaveLength(0);
  });
}

const textsTaken = ({ id }: Chat) => door.telegram.shown(id).map(({ text }) => text);
// Another on every try: a bot is connected once.
let bots = 777;
const newBot = () => ++bots;
const BAD_GATEWAY = { html: 502 };
// Longer than any test looks at what waits.
const LATER = { code: 429, description: 'Too Many Requests', parameters: { retry_after: 30 } };

/** What waits for its next try there has waited long enough. */
async function timePasses({ conversationId }: Chat): Promise<void> {
  await gateway.pool`
    update messages set next_attempt_at = now() where conversation_id = ${conversationId} and next_attempt_at > now()`;
  await gateway.pool`update lanes set due_at = now() where key = ${`send:${conversationId}`}`;
}

it('is known by the name that the provider gave it', async () => {
  const here = await chat();
  const id = await write(here, 'named');
  const { external_id } = await reaches(id, 'sent');
  const [part] = await gateway.pool`select external_id from message_parts where message_id = ${id}`;
  expect(external_id).toEqual(expect.any(String));
  expect(part).toEqual({ external_id });
});

describe('the order of a conversation', () => {
  it('is that of the writing, each once', async () => {
    const here = await chat();
    const texts = Array.from({ length: 20 }, (_, n) => `line ${n}`);
    for (const text of texts) await write(here, text);
    await eventually(() => expect(textsTaken(here)).toEqual(texts));
    await eventually(async () => {
      const rows = await gateway.pool`
        select distinct status from messages where conversation_id = ${here.conversationId} and direction = 'outbound'`;
      expect(rows).toEqual([{ status: 'sent' }]);
    });
  });

  it('waits for the first to pass, shows so, and holds up no other conversation', async () => {
    const [here, elsewhere] = [await chat(), await chat()];
    door.telegram.fail('sendMessage', LATER);
    const first = await write(here, 'first');
    await tried(first, 'rate_limited');
    const second = await write(here, 'second');
    const other = await write(elsewhere, 'other');
    await reaches(other, 'sent');
    const waiting = await read(first);
    expect(waiting).toMatchObject({ status: 'sending', blocked_by: null, error: null });
    const waitMs = Date.parse(waiting.next_attempt_at ?? '') - Date.now();
    expect(waitMs).toBeGreaterThan(0);
    expect(waitMs).toBeLessThanOrEqual(30_000);
    expect(await read(second)).toMatchObject({
      status: 'queued',
      blocked_by: first,
      next_attempt_at: waiting.next_attempt_at,
    });
    expect(textsTaken(here)).toEqual([]);
    await timePasses(here);
    await reaches(second, 'sent');
    expect(textsTaken(here)).toEqual(['first', 'second']);
    expect(await read(first)).toMatchObject({
      status: 'sent',
      next_attempt_at: null,
      sent_at: expect.any(String),
    });
  });

  it('rests while it waits', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', LATER);
    const first = await write(here, 'first');
    await tried(first, 'rate_limited');
    const second = await write(here, 'second');
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    const writes = async () => {
      const [row] =
        await gateway.pool`select xmin::text, due_at, lease_token from lanes where key = ${`send:${here.conversationId}`}`;
      return row;
    };
    const before = await writes();
    expect(before).toMatchObject({ lease_token: null });
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await writes()).toEqual(before);
    await gateway.call('DELETE', `/api/v1/messages/${first}`);
    await reaches(second, 'sent');
  });
});

describe('a send that may pass', () => {
  it('waits as long as a 429 asks, which costs no try', async () => {
    const here = await chat();
    const parameters = { retry_after: 1 };
    door.telegram.fail(
      'sendMessage',
      { code: 429, description: 'Too Many Requests: retry after 1', parameters },
      2,
    );
    const startedAt = Date.now();
    const id = await write(here, 'patience');
    const { attempts } = await reaches(id, 'sent', 15_000);
    expect(Date.now() - startedAt).toBeGreaterThan(1_900);
    expect(attempts.map(({ number, outcome }) => [number, outcome])).toEqual([
      [1, 'rate_limited'],
      [2, 'rate_limited'],
      [3, 'sent'],
    ]);
    expect(await gateway.pool`select tries from messages where id = ${id}`).toEqual([{ tries: 0 }]);
  });

  it('is tried again after 2 s, then after 10 s, when nobody answers the door', async () => {
    const gone = await openDoor(gateway, `${newBot()}:gone`);
    const here = await chat(gone);
    await gone.close();
    const id = await write(here, 'anybody?');
    await tried(id, 'deferred');
    await eventually(async () => {
      const [message] = await gateway.pool`select tries from messages where id = ${id}`;
      expect(message).toEqual({ tries: 2 });
    });
    const [message] = await gateway.pool<[{ next_attempt_at: Date }]>`
      select next_attempt_at from messages where id = ${id}`;
    const [first, second] = await gateway.pool<{ started_at: Date; finished_at: Date }[]>`
      select started_at, finished_at from attempts where subject_id = ${id} order by started_at`;
    const apartMs = (from: Date | undefined, to: Date | undefined) => Number(to) - Number(from);
    expect(apartMs(first?.started_at, second?.started_at)).toBeGreaterThan(1_900);
    expect(apartMs(second?.finished_at, message.next_attempt_at)).toBeGreaterThan(9_000);
    expect(await read(id)).toMatchObject({
      status: 'sending',
      attempts: [{ outcome: 'deferred' }, { outcome: 'deferred' }],
    });
    await gateway.call('DELETE', `/api/v1/messages/${id}`);
  });

  it('fails when the schedule ends, and lets the next go', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', BAD_GATEWAY, 1_000);
    const id = await write(here, 'never');
    await tried(id, 'deferred');
    const next = await write(here, 'next');
    await gateway.pool`update messages set tries = 5 where id = ${id}`;
    await timePasses(here);
    const failed = await reaches(id, 'failed');
    door.telegram.heal();
    expect(failed.error).toMatchObject({ code: 'unreachable', provider_code: '502', retryable: true });
    await reaches(next, 'sent');
  });
});

describe('a refusal', () => {
  it('fails the message at once, with the provider’s reason, and lets the next go', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', { code: 403, description: 'Forbidden: bot was blocked by the user' });
    const first = await write(here, 'first');
    const second = await write(here, 'second');
    const failed = await reaches(first, 'failed');
    expect(failed.error).toMatchObject({
      code: 'rejected',
      provider_code: '403',
      message: expect.stringContaining('bot was blocked by the user'),
      retryable: false,
    });
    expect(failed.attempts).toMatchObject([{ outcome: 'rejected', provider_code: '403' }]);
    await reaches(second, 'sent');
    expect(textsTaken(here)).toEqual(['second']);
  });

  it('of the token marks the channel broken and says so once, whatever was on its way', async () => {
    const broken = await openDoor(gateway, `${newBot()}:revoked`);
    const chats = [await chat(broken), await chat(broken), await chat(broken)];
    broken.telegram.fail('*', { code: 401, description: 'Unauthorized' }, 1_000);
    const ids = await Promise.all(chats.map((one) => write(one, 'hello?')));
    for (const id of ids) expect((await reaches(id, 'failed')).error).toMatchObject({ retryable: true });
    const later = await write(chats[0] as Chat, 'and now?');
    expect((await reaches(later, 'failed')).error).toMatchObject({ code: 'channel_error' });
    await eventually(async () => {
      const errors = await gateway.pool<{ data: object }[]>`
        select data from events where type = 'channel.error' and data ->> 'channel_id' = ${broken.channelId}`;
      expect(errors).toHaveLength(1);
    });
    await broken.close();
  });
});

describe('a message of several parts', () => {
  const long = (words: string) => Array.from({ length: 9_500 / words.length }, () => words).join('');

  it('goes on where it stopped', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', BAD_GATEWAY, 1, { after: 1 });
    const id = await write(here, long('one two '));
    const { attempts } = await reaches(id, 'sent');
    expect(attempts.map(({ part, outcome }) => [part, outcome])).toEqual([
      [0, 'sent'],
      [1, 'deferred'],
      [1, 'sent'],
      [2, 'sent'],
    ]);
    expect(textsTaken(here).join('').replaceAll(/\s/g, '')).toBe(long('one two ').replaceAll(' ', ''));
  });

  it('retried by hand repeats none that the provider took', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', { code: 400, description: 'Bad Request: not today' }, 1, { after: 1 });
    const id = await write(here, long('three four '));
    await reaches(id, 'failed');
    expect(textsTaken(here)).toHaveLength(1);
    expect((await gateway.call('POST', `/api/v1/messages/${id}/retry`)).status).toBe(200);
    await reaches(id, 'sent');
    expect(textsTaken(here).join('').replaceAll(/\s/g, '')).toBe(long('three four ').replaceAll(' ', ''));
  });
});

describe('an answer that was lost', () => {
  it('stands as unknown, lets the next go, and is repeated only by hand', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', 'drop');
    const first = await write(here, 'did it arrive?');
    const second = await write(here, 'second');
    const unknown = await reaches(first, 'failed');
    expect(unknown.error).toMatchObject({ code: 'outcome_unknown', retryable: true });
    expect(unknown.attempts).toMatchObject([{ outcome: 'unknown' }]);
    await reaches(second, 'sent');
    expect(textsTaken(here)).toEqual(['did it arrive?', 'second']);
    await gateway.call('POST', `/api/v1/messages/${first}/retry`);
    const again = await reaches(first, 'sent');
    expect(again.error).toBeNull();
    expect(again.attempts.map(({ outcome }) => outcome)).toEqual(['unknown', 'sent']);
    expect(textsTaken(here)).toEqual(['did it arrive?', 'second', 'did it arrive?']);
  });

  it('is unknown also when the provider never ends its answer', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', 'hang');
    const id = await write(here, 'hello?');
    await reaches(await write(await chat(), 'other'), 'sent');
    expect((await read(id)).status).toBe('sending');
    expect((await reaches(id, 'failed', 20_000)).error).toMatchObject({ code: 'outcome_unknown' });
  });

  it('is raised by a late sign that it arrived', async () => {
    const here = await chat();
    door.telegram.fail('sendMessage', 'drop', 2);
    const [late, receipt] = [await write(here, 'late answer'), await write(here, 'late receipt')];
    for (const id of [late, receipt]) await reaches(id, 'failed');
    const part = { channelId: door.channelId, generation: 1, n: 0, status: 'sent' as const };
    await gateway.pool.begin((tx) =>
      partSent(tx, { ...part, messageId: late, externalIds: [`late-${late}`] }),
    );
    expect(await read(late)).toMatchObject({ status: 'sent', error: null });
    const at = new Date();
    const delivered = {
      channelId: door.channelId,
      externalId: `late-${receipt}`,
      status: 'delivered' as const,
      error: null,
      at,
    };
    await gateway.pool.begin((tx) => applyReceipt(tx, delivered));
    expect(await read(receipt)).toMatchObject({ status: 'failed' });
    await gateway.pool.begin((tx) =>
      partSent(tx, { ...part, messageId: receipt, externalIds: [`late-${receipt}`] }),
    );
    expect(await read(receipt)).toMatchObject({
      status: 'delivered',
      error: null,
      delivered_at: at.toISOString(),
    });
  });
});

describe('an agent', () => {
  async function stuck(): Promise<{ here: Chat; first: string; second: string }> {
    const here = await chat();
    door.telegram.fail('sendMessage', LATER);
    const first = await write(here, 'first');
    await tried(first, 'rate_limited');
    const second = await write(here, 'second');
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(textsTaken(here)).toEqual([]);
    return { here, first, second };
  }

  it('lets later messages pass one that waits, which goes in its own time', async () => {
    const { here, first, second } = await stuck();
    const skipped = await gateway.call<Message>('POST', `/api/v1/messages/${first}/skip`);
    expect(skipped.body).toMatchObject({ status: 'sending' });
    await reaches(second, 'sent');
    expect(textsTaken(here)).toEqual(['second']);
    await timePasses(here);
    await reaches(first, 'sent');
    expect(textsTaken(here)).toEqual(['second', 'first']);
  });

  it('cancels one that waits: it is never sent, and the next goes', async () => {
    const { here, first, second } = await stuck();
    expect((await gateway.call<Message>('DELETE', `/api/v1/messages/${first}`)).body).toMatchObject({
      status: 'canceled',
    });
    await reaches(second, 'sent');
    await timePasses(here);
    await reaches(await write(here, 'third'), 'sent');
    expect(textsTaken(here)).toEqual(['second', 'third']);
  });

  it('hastens one that waits', async () => {
    const { here, first, second } = await stuck();
    await gateway.call('POST', `/api/v1/messages/${first}/retry`);
    await reaches(second, 'sent');
    expect(textsTaken(here)).toEqual(['first', 'second']);
  });

  it('sees a message that was canceled in time canceled for good, on web chat too', async () => {
    const { body: conversation } = await gateway.call<{ id: string }>('POST', '/api/v1/conversations', {
      business_id: gateway.businessId,
      channel_id: gateway.channelId,
    });
    const path = `/api/v1/conversations/${conversation.id}/messages`;
    const send_at = new Date(Date.now() + 1_000).toISOString();
    const ids: string[] = [];
    for (let n = 0; n < 20; n += 1)
      ids.push((await gateway.call<Message>('POST', path, { content: `race ${n}`, send_at })).body.id);
    await eventually(async () => expect((await read(ids[0] ?? '')).status).not.toBe('scheduled'));
    await Promise.all(
      ids.map(async (id) => {
        const { body } = await gateway.call<Message>('DELETE', `/api/v1/messages/${id}`);
        if (body.status !== 'canceled') return;
        await new Promise((resolve) => setTimeout(resolve, 30));
        expect((await read(id)).status).toBe('canceled');
      }),
    );
  });
});

describe('the status of a message', () => {
  const RANK = ['queued', 'sending', 'sent', 'failed', 'delivered', 'read'];
  const RECEIPTS = ['sent', 'failed', 'delivered', 'read'] as const;

  /** A message of some parts that the channel never sends by itself. */
  async function unsent(parts: number): Promise<string> {
    const here = await chat();
    const [row] = await gateway.pool<{ id: string }[]>`
      insert into messages (id, business_id, conversation_id, channel_id, seq, direction, sender_type, type, content, status)
      select gen_random_uuid(), business_id, id, channel_id, 100, 'outbound', 'agent', 'text', 'x', 'sending'
      from conversations where id = ${here.conversationId} returning id`;
    const id = row?.id ?? '';
    for (let n = 0; n < parts; n += 1)
      await gateway.pool`
        insert into message_parts (message_id, generation, n, payload, status) values (${id}, 1, ${n}, '{}', 'sending')`;
    return id;
  }

  // The order of receipts is the provider's mood; a seed makes a failure repeatable.
  function shuffled<T>(items: T[], seed: number): T[] {
    let state = seed;
    const next = () => {
      state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
      return state;
    };
    return items
      .map((item) => [next(), item] as const)
      .sort(([a], [b]) => a - b)
      .map(([, item]) => item);
  }

  it.each(Array.from({ length: 12 }, (_, seed) => seed))(
    'only moves forward, and ends the same, whatever comes first (%i)',
    async (seed) => {
      const parts = 1 + (seed % 3);
      const id = await unsent(parts);
      const steps = Array.from({ length: parts }, (_, n) => {
        const externalId = `prop-${seed}-${n}`;
        const best = RECEIPTS[(seed + n) % 4] as (typeof RECEIPTS)[number];
        // One part's failure is the message's: that it was none after all can be told of a single part only.
        const before = RECEIPTS.slice(0, RECEIPTS.indexOf(best));
        const heard = [...before.filter((one) => parts === 1 || one !== 'failed'), best];
        const answer = { n, externalId, receipt: undefined as undefined | (typeof RECEIPTS)[number] };
        return {
          best,
          all: [
            answer,
            ...heard.flatMap((receipt) => [
              { ...answer, receipt },
              { ...answer, receipt },
            ]),
          ],
        };
      });
      let highest = 0;
      for (const { n, externalId, receipt } of shuffled(
        steps.flatMap(({ all }) => all),
        seed + 1,
      )) {
        await gateway.pool.begin(async (tx) => {
          const channelId = door.channelId;
          if (receipt === undefined) {
            await partSent(tx, {
              channelId,
              messageId: id,
              generation: 1,
              n,
              externalIds: [externalId],
              status: 'sent',
            });
          } else {
            const error =
              receipt === 'failed'
                ? { code: 'rejected', provider_code: '131026', message: 'no', retryable: true }
                : null;
            await applyReceipt(tx, { channelId, externalId, status: receipt, error, at: new Date() });
          }
        });
        const [row] = await gateway.pool<{ status: string }[]>`select status from messages where id = ${id}`;
        const rank = RANK.indexOf(row?.status ?? '');
        expect(rank).toBeGreaterThanOrEqual(highest);
        highest = rank;
      }
      const bests = steps.map(({ best }) => best);
      const least = bests.includes('failed')
        ? 'failed'
        : bests.sort((a, b) => RANK.indexOf(a) - RANK.indexOf(b))[0];
      const [row] = await gateway.pool`select status, error from messages where id = ${id}`;
      expect(row?.['status']).toBe(least);
      if (least === 'failed') expect(row?.['error']).toMatchObject({ provider_code: '131026' });
      const types = await gateway.pool<{ type: string }[]>`
      select type from (select type, occurred_at, id::text from events where message_id = ${id}
        union all select type, occurred_at, event_id::text from outbox where message_id = ${id}) e
      order by occurred_at, id`;
      expect(new Set(types.map(({ type }) => type)).size).toBe(types.length);
    },
  );
});
