import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partSent } from '../../src/core/messages/receipts.ts';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type FakeUser, fakeUser, update } from '../support/telegram.ts';

interface Message {
  id: string;
  content: string;
  status: string | null;
  reply_to_id: string | null;
  reactions: { emoji: string; sender: string }[];
  edited_at: string | null;
}

let gateway: TestGateway;
let door: Door;
beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  door = await openDoor(gateway);
});
afterAll(async () => {
  await gateway.stop();
  await door.close();
});

async function conversationOf({ id }: FakeUser) {
  const [row] = await gateway.pool<{ id: string }[]>`
    select id from conversations where channel_id = ${door.channelId} and thread_key = ${String(id)}`;
  const path = `/api/v1/conversations/${row?.id}`;
  return (await gateway.call<{ id: string; customer_id: string; messages: Message[] }>('GET', path)).body;
}

const eventsOf = async (messageId: string | undefined) => {
  await eventually(async () => expect(await gateway.pool`select 1 from outbox`).toHaveLength(0));
  const rows = await gateway.pool<{ type: string }[]>`
    select type from events where message_id = ${messageId ?? null} order by seq`;
  return rows.map(({ type }) => type);
};

describe('the items of an album', () => {
  const photo = (from: FakeUser, message_id: number, caption?: string) =>
    update.photo({
      from,
      message_id,
      media_group_id: 'album',
      ...(caption === undefined ? {} : { caption }),
    });

  it.each([['one batch'], ['several batches']])(
    'are all known by their ids, when they come in %s',
    async (mode) => {
      const from = fakeUser();
      const items = [41, 42, 43].map((id) => photo(from, id, id === 41 ? 'Holiday' : undefined));
      if (mode === 'one batch') await Promise.all(items.map((item) => door.post(item)));
      else for (const item of items) await door.post(item);
      await door.post(update.text({ from, text: 'that one', reply_to_message: { message_id: 43 } }));
      await door.post(update.reaction({ user: from, message_id: 42, emojis: ['🔥'] }));
      await door.post(update.edited({ from, message_id: 43, text: 'Our holiday' }));
      const { messages, customer_id } = await conversationOf(from);
      const [album, reply, ...others] = messages;
      expect(others).toEqual([]);
      expect(reply?.reply_to_id).toBe(album?.id);
      expect(album).toMatchObject({
        content: 'Our holiday',
        reactions: [{ emoji: '🔥', sender: customer_id }],
        status: null,
      });
    },
  );

  it('take no text away that they did not bring', async () => {
    const from = fakeUser();
    await door.post(photo(from, 51, 'Holiday'));
    await door.post(photo(from, 52));
    const { text: _, ...edited } = update.edited({ from, message_id: 52 })['edited_message'] as {
      text: string;
    };
    const file = { file_id: 'f', file_unique_id: 'u', width: 9, height: 9 };
    await door.post({ update_id: 880_001, edited_message: { ...edited, photo: [file] } });
    expect((await conversationOf(from)).messages).toMatchObject([{ content: 'Holiday', edited_at: null }]);
  });
});

describe('an edit that changes nothing', () => {
  it('is not told and leaves no mark', async () => {
    const from = fakeUser();
    await door.post(update.text({ from, text: 'same', message_id: 60 }));
    expect(await door.post(update.edited({ from, text: 'same', message_id: 60 }))).toBe(200);
    const [message] = (await conversationOf(from)).messages;
    expect(message).toMatchObject({ content: 'same', edited_at: null });
    expect(await eventsOf(message?.id)).toEqual(['message.received']);
    await door.post(update.edited({ from, text: 'other', message_id: 60 }));
    expect(await eventsOf(message?.id)).toEqual(['message.received', 'message.updated']);
  });
});

describe('what comes for a message of ours before the provider has named it', () => {
  /** A conversation with the provider's id that the next message will get. */
  async function begun() {
    const from = fakeUser();
    await door.post(update.text({ from, text: 'hi' }));
    const { id } = await conversationOf(from);
    await gateway.call('POST', `/api/v1/conversations/${id}/messages`, { content: 'first' });
    await eventually(() => expect(door.telegram.shown(from.id)).toHaveLength(1));
    return { from, id, next: (door.telegram.shown(from.id)[0]?.messageId ?? 0) + 1 };
  }

  it('waits for it: reactions, the newest set of each person, and replies', async () => {
    const { from, id, next } = await begun();
    await door.post(update.reaction({ user: from, message_id: next, emojis: ['👍'] }));
    await door.post(update.reaction({ user: from, message_id: next, emojis: ['❤'] }));
    await door.post(update.text({ from, text: 'about that', reply_to_message: { message_id: next } }));
    expect((await conversationOf(from)).messages.at(-1)?.reply_to_id).toBeNull();
    await gateway.call('POST', `/api/v1/conversations/${id}/messages`, { content: 'second' });
    await eventually(async () => {
      const { messages, customer_id } = await conversationOf(from);
      const [, , reply, second] = messages;
      expect(second?.reactions).toEqual([{ emoji: '❤', sender: customer_id }]);
      expect(reply?.reply_to_id).toBe(second?.id);
      expect(await eventsOf(reply?.id)).toEqual(['message.received', 'message.updated']);
      expect((await eventsOf(second?.id)).slice(0, 3)).toEqual([
        'message.created',
        'message.sent',
        'message.updated',
      ]);
    });
    const parked = await gateway.pool`select 1 from provider_ids where parked is not null`;
    expect(parked).toHaveLength(0);
  });

  it('is applied at once when it waits for that very transaction', async () => {
    const { from, next } = await begun();
    const { messages } = await conversationOf(from);
    const messageId = messages.at(-1)?.id ?? '';
    const externalId = `${from.id}:${next}`;
    let reacting: Promise<number> | undefined;
    await gateway.pool.begin(async (tx) => {
      const part = { messageId, generation: 1, n: 0, externalIds: [externalId], status: 'sent' as const };
      await partSent(tx, { channelId: door.channelId, ...part });
      reacting = door.post(update.reaction({ user: from, message_id: next }));
      await new Promise((resolve) => setTimeout(resolve, 100));
    });
    expect(await reacting).toBe(200);
    expect((await conversationOf(from)).messages.at(-1)?.reactions).toHaveLength(1);
  });
});
