import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { resolveInactive } from '../../src/core/conversations/auto-resolve.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { fakeUser, update } from '../support/telegram.ts';

const STATUSES = ['open', 'pending', 'snoozed', 'resolved', 'closed'] as const;
type Status = (typeof STATUSES)[number];

let gateway: TestGateway;
let second: TestGateway;
let door: Door;

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  second = await startTestGateway({ publicUrl: PUBLIC_URL, database_: gateway.database });
  door = await openDoor(gateway);
  for (let n = 0; n < 3; n++) {
    const made = await gateway.call<{ key: string }>('POST', '/api/v1/api-keys', {
      name: 'x',
      role: 'owner',
    });
    keys.push(made.body.key);
  }
});
afterAll(async () => {
  await second.stop();
  await gateway.stop();
  await door.close();
});

interface Conversation {
  id: string;
  status: Status;
  snoozed_until: string | null;
  resolved_at: string | null;
  closed_at: string | null;
  updated_at: string;
  last_message_seq: number;
}

const LATER = new Date(Date.now() + 3_600_000).toISOString();

/** Taken in turns: more is asked here than one key may ask in a minute. */
const keys: string[] = [];
let asked = 0;
const nextKey = () => ({ key: keys[asked++ % keys.length] ?? gateway.apiKey });

async function ok<T = Conversation>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await gateway.call<T>(method, `/api/v1${path}`, body, nextKey());
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function support(path: string, body: unknown, method = 'PUT') {
  const answer = await gateway.call(method, `/api/support${path}`, body, nextKey());
  expect(answer.status).toBe(200);
}

const read = (id: string) => ok('GET', `/conversations/${id}`);
const opened = () => ok('POST', '/conversations', { business_id: gateway.businessId });

/** Every way in which the status can be set by hand. */
const WAYS: Record<Status, ((id: string) => Promise<unknown>)[]> = {
  open: [
    (id) => ok('PUT', `/conversations/${id}/reopen`),
    (id) => ok('PATCH', `/conversations/${id}`, { status: 'open' }),
    (id) => support(`/conversations/${id}`, { status: 'open' }),
  ],
  pending: [
    (id) => ok('PATCH', `/conversations/${id}`, { status: 'pending' }),
    (id) => support(`/conversations/${id}`, { status: 'pending' }),
  ],
  snoozed: [
    (id) => ok('POST', `/conversations/${id}/snooze`, { until: LATER }),
    (id) => ok('PUT', `/conversations/${id}`, { status: 'snoozed', snoozed_until: LATER }),
    (id) => support(`/conversations/${id}/snooze`, { until: LATER }, 'POST'),
    (id) => support(`/conversations/${id}`, { status: 'snoozed', until: LATER }),
  ],
  resolved: [
    (id) => ok('PUT', `/conversations/${id}/resolve`),
    (id) => ok('PUT', `/conversations/${id}`, { status: 'resolved' }),
    (id) => support(`/conversations/${id}`, { status: 'resolved' }),
  ],
  closed: [
    (id) => ok('PUT', `/conversations/${id}/close`),
    (id) => ok('PATCH', `/conversations/${id}`, { status: 'closed' }),
    (id) => support(`/conversations/${id}`, { status: 'closed' }),
  ],
};

async function eventsOf(id: string): Promise<string[]> {
  await eventually(async () => {
    expect(await gateway.pool`select id from outbox where conversation_id = ${id}`).toHaveLength(0);
  });
  const rows = await gateway.pool<{ type: string }[]>`
    select type from events where conversation_id = ${id} and type <> 'conversation.created' order by seq`;
  return rows.map(({ type }) => type.replace('conversation.', ''));
}

const OWN: Record<Status, string[]> = {
  open: ['reopened'],
  pending: ['reopened'],
  snoozed: ['snoozed'],
  resolved: ['resolved'],
  closed: ['closed'],
};

/** The event of its own that a transition has. */
function ownEvent(from: Status, to: Status): string[] {
  if (from === 'snoozed' && (to === 'open' || to === 'pending')) return ['unsnoozed'];
  if (from === 'open' && to === 'pending') return [];
  return OWN[to];
}

describe('every status can follow every other', () => {
  for (const from of STATUSES) {
    for (const to of STATUSES) {
      it(`${to} after ${from}, by every way there is, and once only`, async () => {
        for (const bring of WAYS[to]) {
          const { id } = await opened();
          if (from !== 'open') await WAYS[from][0]?.(id);
          const before = await eventsOf(id);
          await bring(id);
          const after = await read(id);
          expect(after.status).toBe(to);
          expect(after.snoozed_until).toBe(to === 'snoozed' ? LATER : null);
          expect([after.resolved_at !== null, after.closed_at !== null]).toEqual([
            to === 'resolved' || (to === 'closed' && from === 'resolved'),
            to === 'closed',
          ]);
          const happened = (await eventsOf(id)).slice(before.length);
          expect(happened).toEqual(from === to ? [] : [...ownEvent(from, to), 'status_changed']);
          for (const again of WAYS[to]) await again(id);
          expect(await read(id)).toEqual(after);
          expect(await eventsOf(id)).toHaveLength(before.length + happened.length);
        }
      });
    }
  }
});

describe('a customer who writes again', () => {
  let texts = 0;

  async function writes(from: ReturnType<typeof fakeUser>): Promise<Conversation> {
    expect(await door.post(update.text({ from, text: `Message ${++texts}` }))).toBe(200);
    const [row] = await gateway.pool<{ id: string }[]>`
      select conversation_id as id from messages where content = ${`Message ${texts}`}`;
    return read(row?.id ?? '');
  }

  const reopen = (policy: string) => ok('PATCH', `/channels/${door.channelId}`, { reopen: policy });

  it('wakes and reopens what is not closed, and opens a new one behind what is', async () => {
    await reopen('always');
    for (const status of STATUSES) {
      const from = fakeUser();
      const { id } = await writes(from);
      await WAYS[status][0]?.(id);
      const after = await writes(from);
      expect([status, after.status, after.id === id]).toEqual([status, 'open', status !== 'closed']);
      expect([after.snoozed_until, after.resolved_at, after.closed_at]).toEqual([null, null, null]);
    }
  });

  it('finds a resolved conversation as the channel says: never, or within hours', async () => {
    for (const [policy, hoursAgo, isSame] of [
      ['never', 0, false],
      ['within_hours:2', 1, true],
      ['within_hours:2', 3, false],
      ['always', 1_000, true],
    ] as const) {
      await reopen(policy);
      const from = fakeUser();
      const { id } = await writes(from);
      await ok('PUT', `/conversations/${id}/resolve`);
      await gateway.pool`
        update conversations set resolved_at = now() - make_interval(hours => ${hoursAgo}) where id = ${id}`;
      const after = await writes(from);
      expect([policy, hoursAgo, after.id === id]).toEqual([policy, hoursAgo, isSame]);
      expect((await read(id)).status).toBe(isSame ? 'open' : 'resolved');
    }
    await reopen('always');
  });

  it('goes on with the newest that is not closed, whatever was closed and reopened behind it', async () => {
    const from = fakeUser();
    const first = await writes(from);
    await ok('PUT', `/conversations/${first.id}/close`);
    const second = await writes(from);
    await ok('PUT', `/conversations/${first.id}/reopen`);
    expect((await writes(from)).id).toBe(second.id);
    await ok('PUT', `/conversations/${second.id}/close`);
    expect((await writes(from)).id).toBe(first.id);
    await ok('PUT', `/conversations/${first.id}/close`);
    const again: [Status, string][] = [
      ['snoozed', first.id],
      ['resolved', second.id],
    ];
    for (const [status, id] of again) {
      await WAYS[status][0]?.(id);
      expect((await writes(from)).id).toBe(id);
    }
    for (const { id } of [first, second]) await ok('PUT', `/conversations/${id}/close`);
    expect([first.id, second.id]).not.toContain((await writes(from)).id);
  });

  it('reopens nothing by what is no message', async () => {
    const from = fakeUser();
    const { id } = await writes(from);
    await ok('PUT', `/conversations/${id}/resolve`);
    const [last] = await gateway.pool<{ external_id: string }[]>`
      select external_id from messages where conversation_id = ${id} and external_id is not null`;
    const message_id = Number(last?.external_id.split(':')[1]);
    await door.post(update.reaction({ user: from, message_id, emojis: ['👍'] }));
    await door.post(update.edited({ from, message_id, text: 'Thanks, solved' }));
    await ok('POST', `/conversations/${id}/read`, {});
    await ok('POST', `/conversations/${id}/typing`, { is_typing: true });
    const rows =
      await gateway.pool`select content, reactions from messages where conversation_id = ${id} and seq = 1`;
    expect(rows).toMatchObject([{ content: 'Thanks, solved', reactions: [{ emoji: '👍' }] }]);
    expect((await read(id)).status).toBe('resolved');
  });
});

describe('a snooze', () => {
  it('ends once, whichever of two processes notices', async () => {
    const ids = await Promise.all(
      Array.from({ length: 10 }, async () => {
        const { id } = await opened();
        await ok('POST', `/conversations/${id}/snooze`, { until: LATER });
        return id;
      }),
    );
    await gateway.pool`update conversations set snoozed_until = now() where id = any(${ids})`;
    await eventually(async () => {
      for (const id of ids) expect((await read(id)).status).toBe('open');
    });
    for (const id of ids)
      expect(await eventsOf(id)).toEqual(['snoozed', 'status_changed', 'unsnoozed', 'status_changed']);
  });

  it('ends once when all processes were down at its time', async () => {
    const database: TestDatabase = await createTestDatabase();
    const before = await startTestGateway({ database_: database });
    const { body } = await before.call<Conversation>('POST', '/api/v1/conversations', {
      business_id: before.businessId,
    });
    await before.call('POST', `/api/v1/conversations/${body.id}/snooze`, { until: LATER });
    await before.stop();
    const [asleep] = await database.pool`
      update conversations set snoozed_until = now() where id = ${body.id} returning status`;
    expect(asleep).toEqual({ status: 'snoozed' });
    const after = await Promise.all([
      startTestGateway({ database_: database }),
      startTestGateway({ database_: database }),
    ]);
    await eventually(async () => {
      const rows = await database.pool`
        select type from events where conversation_id = ${body.id} and type = 'conversation.unsnoozed'`;
      expect(rows).toHaveLength(1);
    });
    for (const each of after) await each.stop();
    const rows = await database.pool`
      select type from events where conversation_id = ${body.id} and type = 'conversation.unsnoozed'`;
    expect(rows).toHaveLength(1);
    await database.drop();
  });
});

describe('a conversation in which nothing happens', () => {
  const age = (id: string, minutes: number) => gateway.pool`
    update conversations set last_message_at = now() - make_interval(mins => ${minutes}),
      updated_at = now() - make_interval(mins => ${minutes}) where id = ${id}`;
  const patience = (minutes: number | null) =>
    ok('PATCH', `/channels/${gateway.channelId}`, { auto_resolve_after_minutes: minutes });

  it('is resolved as its channel says, unless it sleeps, waits for a person or has something scheduled', async () => {
    await patience(60);
    const [over, pending, fresh, snoozed, waiting, scheduled, unassigned] = (await Promise.all(
      Array.from({ length: 7 }, async () => (await opened()).id),
    )) as [string, string, string, string, string, string, string];
    await ok('PATCH', `/conversations/${pending}`, { status: 'pending' });
    await ok('POST', `/conversations/${snoozed}/snooze`, { until: LATER });
    await ok('POST', `/conversations/${waiting}/handoff`, { reason: 'user_requested' });
    await ok('POST', `/conversations/${scheduled}/messages`, { content: 'Later', send_at: LATER });
    const team = await ok<{ id: string }>('POST', '/teams', { name: 'Nobody is there' });
    await ok('POST', `/conversations/${unassigned}/assign`, { assignee_id: team.id });
    for (const id of [over, pending, snoozed, waiting, scheduled, unassigned]) await age(id, 61);
    await age(fresh, 59);
    await eventually(async () => {
      expect((await read(over)).status).toBe('resolved');
      expect((await read(pending)).status).toBe('resolved');
    });
    const statuses = await Promise.all(
      [fresh, snoozed, waiting, scheduled, unassigned].map(async (id) => (await read(id)).status),
    );
    expect(statuses).toEqual(['open', 'snoozed', 'open', 'open', 'open']);
    expect(await eventsOf(over)).toEqual(['resolved', 'status_changed']);
    const { data } = await ok<{ data: { content: string; sender_type: string }[] }>(
      'GET',
      `/conversations/${over}/messages?include=activity`,
    );
    expect(data).toMatchObject([
      { sender_type: 'system', content: 'Resolved after 60 minutes in which nothing happened' },
    ]);
    // An agent who opens it again has as long as everybody.
    await ok('PUT', `/conversations/${over}/reopen`);
    await age(pending, 61);
    await ok('PUT', `/conversations/${pending}/reopen`);
    await resolveInactive((work) => gateway.pool.begin((tx) => work(tx)) as ReturnType<typeof work>);
    expect([(await read(over)).status, (await read(pending)).status]).toEqual(['open', 'open']);
  });

  it('is resolved as its business says where the channel says nothing, and stays where that says never', async () => {
    await patience(null);
    await ok('PATCH', '/business', { auto_resolve_after_minutes: 30 });
    await ok('PATCH', `/channels/${door.channelId}`, { auto_resolve_after_minutes: 0 });
    const { id } = await opened();
    await age(id, 31);
    await door.post(update.text({ from: fakeUser(), text: 'On the channel that never does' }));
    const [row] = await gateway.pool<{ id: string }[]>`
      select conversation_id as id from messages where content = 'On the channel that never does'`;
    const kept = row?.id ?? '';
    await age(kept, 31);
    await eventually(async () => expect((await read(id)).status).toBe('resolved'));
    expect((await read(kept)).status).toBe('open');
    expect(await ok('PATCH', '/business', { auto_resolve_after_minutes: null })).toMatchObject({
      auto_resolve_after_minutes: null,
    });
  });
});
