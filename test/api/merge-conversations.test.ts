import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventTypes, eventually, otherBusiness } from '../support/inbox.ts';
import { write } from '../support/people.ts';
import { fakeGroup, fakeUser, update } from '../support/telegram.ts';

interface Conversation {
  id: string;
  customer_id: string | null;
  status: string;
  merged_into_id: string | null;
  merged_from: string[];
  last_message_seq: number;
  participants: { type: string; id: string | null; name: string | null }[];
  messages: { content: string; seq: number }[];
}
interface Refusal {
  error: { code: string; merged_into_id?: string; details: { field: string }[] };
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

const merge = <T = Conversation>(id: string, into: string, key = gateway.apiKey) =>
  gateway.call<T>('POST', `/api/v1/conversations/${id}/merge`, { into }, { key });
const undo = (id: string) => gateway.call<Conversation>('DELETE', `/api/v1/conversations/${id}/merge`);
const get = async (id: string) =>
  (await gateway.call<Conversation>('GET', `/api/v1/conversations/${id}`)).body;
const listed = async (query = '') =>
  (
    await gateway.call<{ data: Conversation[] }>('GET', `/api/v1/conversations?limit=100${query}`)
  ).body.data.map(({ id }) => id);

/** Two people with a conversation each. */
async function twoConversations() {
  const [ada, grace] = [fakeUser({ first_name: 'Ada' }), fakeUser({ first_name: 'Grace' })];
  const source = (await write(gateway, door, ada, 'of the source')).conversation_id;
  const target = (await write(gateway, door, grace, 'of the target')).conversation_id;
  return { ada, grace, source, target };
}

describe('merging a conversation into another', () => {
  it('moves nothing, and leads its customer to the other one', async () => {
    const { ada, source, target } = await twoConversations();
    const merged = await merge(source, target);
    expect([merged.status, merged.body.id, merged.body.merged_into_id]).toEqual([200, source, target]);
    const before = await get(target);
    expect(before.merged_from).toEqual([source]);
    // Who is somebody else hears nothing of what is answered there, and is told so.
    expect(merged.body).toMatchObject({ answers_reach_customer_id: before.customer_id });
    expect(merged.body.customer_id).not.toBe(before.customer_id);
    expect(before.messages.map(({ content }) => content)).toEqual(['of the target']);
    expect((await get(source)).messages.map(({ content }) => content)).toEqual(['of the source']);

    const written = await write(gateway, door, ada, 'after the merge');
    expect(written.conversation_id).toBe(target);
    const after = await get(target);
    expect(after.messages.map(({ content }) => content)).toEqual(['of the target', 'after the merge']);
    expect(after.participants.map(({ name }) => name)).toEqual(['Grace', 'Ada']);
    expect((await get(source)).last_message_seq).toBe(merged.body.last_message_seq);
  });

  it('tells of it once, whoever asks again', async () => {
    const { source, target } = await twoConversations();
    const first = await merge(source, target);
    expect((await merge(source, target)).body).toEqual(first.body);
    await eventually(async () => (await eventTypes(gateway, source)).includes('conversation.merged'));
    expect((await eventTypes(gateway, source)).filter((type) => type === 'conversation.merged').length).toBe(
      1,
    );
    expect(await eventTypes(gateway, target)).toContain('conversation.updated');
  });

  it('takes it off the list, unless it is asked for', async () => {
    const { source, target } = await twoConversations();
    await merge(source, target);
    expect(await listed()).toContain(target);
    expect(await listed()).not.toContain(source);
    expect(await listed('&include=merged')).toContain(source);
  });

  it('is turned back by its undo: the customer goes on where they were', async () => {
    const { ada, source, target } = await twoConversations();
    await merge(source, target);
    await write(gateway, door, ada, 'while merged');
    const undone = await undo(source);
    expect([undone.status, undone.body.merged_into_id]).toEqual([200, null]);
    expect((await undo(source)).body).toEqual(undone.body);
    expect((await get(target)).merged_from).toEqual([]);
    expect((await write(gateway, door, ada, 'after the undo')).conversation_id).toBe(source);
    expect((await get(target)).messages.map(({ content }) => content)).toContain('while merged');
  });

  it('leaves a thread alone on undo that has gone on elsewhere', async () => {
    const { ada, source, target } = await twoConversations();
    await merge(source, target);
    await gateway.call('PUT', `/api/v1/conversations/${target}/close`);
    const opened = (await write(gateway, door, ada, 'a new matter')).conversation_id;
    expect([source, target]).not.toContain(opened);
    await undo(source);
    expect((await write(gateway, door, ada, 'more of it')).conversation_id).toBe(opened);
  });

  it('goes over several steps, each undone by itself in any order', async () => {
    const { ada, grace, source, target } = await twoConversations();
    const last = (await write(gateway, door, fakeUser({ first_name: 'Hedy' }))).conversation_id;
    await merge(source, target);
    await merge(target, last);
    expect((await write(gateway, door, ada)).conversation_id).toBe(last);
    expect((await write(gateway, door, grace)).conversation_id).toBe(last);
    await undo(source);
    expect((await write(gateway, door, ada)).conversation_id).toBe(source);
    expect((await write(gateway, door, grace)).conversation_id).toBe(last);
    await merge(source, last);
    await undo(target);
    expect((await write(gateway, door, grace)).conversation_id).toBe(target);
    expect((await write(gateway, door, ada)).conversation_id).toBe(last);
  });

  it('brings the threads of an earlier merge back with it', async () => {
    const { ada, source, target } = await twoConversations();
    const last = (await write(gateway, door, fakeUser())).conversation_id;
    await merge(source, target);
    await merge(target, last);
    await undo(target);
    expect((await write(gateway, door, ada)).conversation_id).toBe(target);
    await undo(source);
    expect((await write(gateway, door, ada)).conversation_id).toBe(source);
  });

  it('is refused where it would make no sense, and says why', async () => {
    const { source, target } = await twoConversations();
    const third = (await write(gateway, door, fakeUser())).conversation_id;
    const itself = await merge<Refusal>(source, source);
    expect([itself.status, itself.body.error.details[0]?.field]).toEqual([422, 'into']);
    await merge(source, target);
    const circle = await merge<Refusal>(target, source);
    expect([circle.status, circle.body.error.merged_into_id]).toEqual([409, target]);
    const again = await merge<Refusal>(source, third);
    expect([again.status, again.body.error.merged_into_id]).toEqual([409, target]);
    const behind = await merge<Refusal>(third, source);
    expect([behind.status, behind.body.error.merged_into_id]).toEqual([409, target]);
    expect((await merge('no-such-id', target)).status).toBe(404);
  });

  it('never reaches another business', async () => {
    const { source, target } = await twoConversations();
    const key = await otherBusiness(gateway);
    expect((await merge(source, target, key)).status).toBe(404);
    const [foreign] = await gateway.pool<{ id: string; business_id: string }[]>`
      insert into conversations (id, business_id, channel_id, channel_type)
      select gen_random_uuid(), c.business_id, c.id, c.type from channels c
      where c.business_id <> ${gateway.businessId} limit 1 returning id, business_id`;
    const refused = await merge<Refusal>(source, foreign?.id ?? gateway.businessId);
    expect([refused.status, refused.body.error.details[0]?.field]).toEqual([422, 'into']);
  });

  it('lets nobody write where it was: agents are told where it goes on', async () => {
    const { source, target } = await twoConversations();
    await merge(source, target);
    for (const body of [{ content: 'late' }, { content: 'late', type: 'note' }]) {
      const refused = await gateway.call<Refusal>('POST', `/api/v1/conversations/${source}/messages`, body);
      expect([refused.status, refused.body.error.merged_into_id]).toEqual([409, target]);
    }
  });

  it('sends what is written to the address to that address, not to the one it was merged into', async () => {
    const { ada, grace, source, target } = await twoConversations();
    await merge(source, target);
    const sent = await gateway.call<{ conversation_id: string }>('POST', '/api/v1/messages', {
      channel_id: door.channelId,
      to: String(ada.id),
      content: 'for Ada alone',
    });
    expect(sent.status).toBe(202);
    expect([source, target]).not.toContain(sent.body.conversation_id);
    await eventually(async () => door.telegram.shown(ada.id).length === 1);
    expect(door.telegram.shown(grace.id)).toEqual([]);
  });

  it('keeps the address of the other one when the group of a merged one moves', async () => {
    const group = fakeGroup();
    const from = fakeUser();
    const source = (await writeIn(group.id, from)).conversation_id;
    const { target, grace } = await twoConversations();
    await merge(source, target);
    const to = fakeGroup({ type: 'supergroup' });
    await door.post(update.text({ chat: group, from, text: undefined, migrate_to_chat_id: to.id }));
    const [row] = await gateway.pool<
      { thread_key: string }[]
    >`select thread_key from conversations where id = ${target}`;
    expect(row?.thread_key).toBe(String(grace.id));
    const later = update.text({ chat: to, from });
    await door.post(later);
    const [message] = await gateway.pool<{ conversation_id: string }[]>`
      select conversation_id from messages where channel_id = ${door.channelId} order by created_at desc, id desc limit 1`;
    expect(message?.conversation_id).toBe(target);

    async function writeIn(id: number, writer: typeof from) {
      const sent = update.text({ chat: { ...group, id }, from: writer });
      await door.post(sent);
      const [row] = await gateway.pool<{ conversation_id: string }[]>`
        select m.conversation_id from inbound_keys k join messages m on m.id = k.message_id
        where k.external_event_id = ${`update:${sent.update_id}`}`;
      return { conversation_id: row?.conversation_id ?? '' };
    }
  });

  it('survives a customer who writes all the while, and keeps both sequences whole', async () => {
    const { ada, source, target } = await twoConversations();
    const writing = (async () => {
      for (let n = 0; n < 30; n += 1) await write(gateway, door, ada, `message ${n}`);
    })();
    for (let n = 0; n < 6; n += 1) {
      expect((await merge(source, target)).status).toBe(200);
      expect((await undo(source)).status).toBe(200);
    }
    await writing;
    for (const id of [source, target]) {
      const [row] = await gateway.pool<{ count: number; last: number; known: number }[]>`
        select count(*)::int as count, max(seq)::int as last,
          (select last_message_seq from conversations where id = ${id})::int as known
        from messages where conversation_id = ${id}`;
      expect([row?.count, row?.last]).toEqual([row?.known, row?.known]);
    }
    const [all] = await gateway.pool<{ count: number }[]>`
      select count(*)::int as count from messages where conversation_id in (${source}, ${target}) and content like 'message %'`;
    expect(all?.count).toBe(30);
  });
});
