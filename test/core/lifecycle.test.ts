import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { statusEvents, wakeSnoozed } from '../../src/core/conversations/lifecycle.ts';
import type { Transact } from '../../src/core/database/transact.ts';
import { releaseScheduled } from '../../src/core/messages/scheduled.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';

let database: TestDatabase;
let transact: Transact;
const businessId = crypto.randomUUID();
const channelId = crypto.randomUUID();

beforeAll(async () => {
  database = await createTestDatabase();
  const { pool } = database;
  transact = (work) => pool.begin((tx) => work(tx)) as ReturnType<typeof work>;
  await pool`insert into businesses (id, name) values (${businessId}, 'Acme')`;
  await pool`
    insert into channels (id, business_id, type, name, config) values (${channelId}, ${businessId}, 'webchat', 'Web', '{}')`;
});
afterAll(() => database.drop());

async function conversation(set: { status?: string; snoozed_until?: Date } = {}): Promise<string> {
  const row = {
    id: crypto.randomUUID(),
    business_id: businessId,
    channel_id: channelId,
    channel_type: 'webchat',
    ...set,
  };
  await database.pool`insert into conversations ${database.pool(row)}`;
  return row.id;
}

describe('snoozed conversations', () => {
  it('wake once, however many processes wake them at the same time', async () => {
    const past = new Date(Date.now() - 1_000);
    const due = await Promise.all(
      Array.from({ length: 30 }, () => conversation({ status: 'snoozed', snoozed_until: past })),
    );
    const later = await conversation({ status: 'snoozed', snoozed_until: new Date(Date.now() + 60_000) });
    const woken = await Promise.all([wakeSnoozed(transact), wakeSnoozed(transact), wakeSnoozed(transact)]);
    expect(woken.reduce((sum, one) => sum + one, 0)).toBe(30);
    expect(await wakeSnoozed(transact)).toBe(0);
    const events = await database.pool`
      select conversation_id, array_agg(type order by id) as types from outbox group by conversation_id`;
    expect(new Set(events.map((row) => row['conversation_id']))).toEqual(new Set(due));
    for (const { types } of events)
      expect(types).toEqual(['conversation.unsnoozed', 'conversation.status_changed']);
    const [still] = await database.pool`select status from conversations where id = ${later}`;
    expect(still).toMatchObject({ status: 'snoozed' });
  });
});

describe('scheduled messages', () => {
  it('are queued once and in the order of their times, however many processes release them', async () => {
    const id = await conversation();
    const texts = ['c', 'a', 'b'];
    for (const [index, content] of texts.entries()) {
      const row = {
        id: crypto.randomUUID(),
        business_id: businessId,
        conversation_id: id,
        channel_id: channelId,
        direction: 'outbound',
        sender_type: 'agent',
        type: 'text',
        content,
        status: 'scheduled',
        send_at: new Date(Date.now() - ([1, 3, 2][index] ?? 0) * 1_000),
      };
      await database.pool`insert into messages ${database.pool(row)}`;
    }
    const released = await Promise.all([releaseScheduled(transact), releaseScheduled(transact)]);
    expect(released.reduce((sum, one) => sum + one, 0)).toBe(3);
    const rows =
      await database.pool`select seq, content from messages where conversation_id = ${id} order by seq`;
    expect(rows).toEqual([
      { seq: 1, content: 'a' },
      { seq: 2, content: 'b' },
      { seq: 3, content: 'c' },
    ]);
  });
});

describe('the events of a transition', () => {
  it('are its own, where it has one, and status_changed', () => {
    const own = (from: Parameters<typeof statusEvents>[0], to: Parameters<typeof statusEvents>[1]) =>
      statusEvents(from, to).filter((type) => type !== 'conversation.status_changed');
    expect(own('open', 'resolved')).toEqual(['conversation.resolved']);
    expect(own('snoozed', 'closed')).toEqual(['conversation.closed']);
    expect(own('open', 'snoozed')).toEqual(['conversation.snoozed']);
    expect(own('snoozed', 'open')).toEqual(['conversation.unsnoozed']);
    expect(own('resolved', 'open')).toEqual(['conversation.reopened']);
    expect(own('closed', 'pending')).toEqual(['conversation.reopened']);
    expect(own('pending', 'open')).toEqual(['conversation.reopened']);
    expect(own('open', 'pending')).toEqual([]);
  });
});
