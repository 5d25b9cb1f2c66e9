import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { eventually, otherBusiness } from '../support/inbox.ts';
import { receive, write } from '../support/people.ts';
import { fakeGroup, fakeUser, update } from '../support/telegram.ts';
import { readZip } from '../support/zip.ts';

interface Archive {
  customer: { id: string; name: string; emails: string[] };
  merged_customers: { id: string; name: string }[];
  identities: { address: string; channel_type: string }[];
  conversations: {
    id: string;
    ratings: { score: number; comment: string }[];
    drafts?: { content: string }[];
    messages: { content: string; attachments: { name: string; url: string; state: string }[] }[];
  }[];
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

const post = (path: string, body: unknown) => gateway.call<{ id: string }>('POST', `/api/v1${path}`, body);
const pathOf = (id: string, query = '') => `/api/v1/customers/${id}/export${query}`;
const exported = async (id: string, query = '') =>
  (await gateway.call<Archive>('GET', pathOf(id, query))).body;

/** Ada, who wrote by herself and in a group, and whom another customer turned out to be. */
async function ada() {
  const [user, bert] = [fakeUser({ first_name: 'Ada' }), fakeUser({ first_name: 'Bert' })];
  const { customer_id: id, conversation_id } = await write(gateway, door, user, 'hello');
  await post(`/conversations/${conversation_id}/messages`, { content: 'hello Ada' });
  await post(`/conversations/${conversation_id}/messages`, { content: 'between us', type: 'note' });
  const send_at = new Date(Date.now() + 3_600_000).toISOString();
  await post(`/conversations/${conversation_id}/messages`, { content: 'are you there?', send_at });
  await post(`/conversations/${conversation_id}/csat`, { score: 4, comment: 'quick' });
  await gateway.pool`
    insert into ai_turns (id, business_id, conversation_id, state, last_seq, reply, confidence)
    values (gen_random_uuid(), ${gateway.businessId}, ${conversation_id}, 'discarded', 1, 'a suggestion', 0.1)`;
  const file = door.telegram.addFile(Buffer.from('what she sent'));
  const document = { file_id: file, file_unique_id: 'd', file_name: 'her file.txt', file_size: 13 };
  await receive(gateway, door, update.document({ from: user, document }));
  const chat = fakeGroup();
  await door.post(update.text({ chat, from: bert, text: 'said by Bert' }));
  await door.post(update.text({ chat, from: user, text: 'said by Ada' }));
  const twin = await post('/customers', { name: 'Countess', email: 'countess@export.example' });
  await post(`/customers/${id}/merge`, { from: twin.body.id });
  await eventually(async () => {
    const archive = await exported(id);
    return attachmentsOf(archive)[0]?.state === 'ready';
  });
  return { id, twin: twin.body.id, user, conversation_id };
}

const attachmentsOf = ({ conversations }: Archive) =>
  conversations.flatMap(({ messages }) => messages.flatMap(({ attachments }) => attachments));
const textsOf = ({ conversations }: Archive) =>
  conversations.flatMap(({ messages }) => messages.map(({ content }) => content));

describe('the export of a customer', () => {
  it('holds all that is kept of them, and nothing that others wrote or that is between agents', async () => {
    const { id, twin, user, conversation_id } = await ada();
    const archive = await exported(id);
    expect(archive.customer).toMatchObject({ id, emails: ['countess@export.example'] });
    expect(archive.merged_customers).toMatchObject([{ id: twin, name: 'Countess' }]);
    expect(archive.identities).toMatchObject([{ address: String(user.id), channel_type: 'telegram' }]);
    expect(archive.conversations[0]?.id).toBe(conversation_id);
    expect(textsOf(archive)).toEqual(['hello', 'hello Ada', '', 'are you there?', 'said by Ada']);
    expect(archive.conversations[0]?.ratings).toMatchObject([{ score: 4, comment: 'quick' }]);
    expect(archive.conversations[0]?.drafts).toBeUndefined();
    const internal = await exported(id, '?include=internal');
    expect(textsOf(internal)).toContain('between us');
    expect(internal.conversations[0]?.drafts).toMatchObject([{ content: 'a suggestion' }]);
    const [file] = attachmentsOf(archive);
    const bytes = await fetch(file?.url.replace(PUBLIC_URL, gateway.url) ?? '');
    expect(await bytes.text()).toBe('what she sent');

    const zip = await fetch(`${gateway.url}${pathOf(id, '?format=zip')}`, {
      headers: { authorization: `Bearer ${gateway.apiKey}` },
    });
    expect(zip.headers.get('content-type')).toBe('application/zip');
    expect(zip.headers.get('content-disposition')).toContain(`customer-${id}.zip`);
    const files = readZip(Buffer.from(await zip.arrayBuffer()));
    const inside: Archive = JSON.parse(files.get('customer.json')?.toString() ?? '');
    expect(textsOf(inside)).toEqual(textsOf(archive));
    const [attachment] = attachmentsOf(inside);
    expect(files.get(attachment?.url ?? '')?.toString()).toBe('what she sent');
    expect(files.size).toBe(2);
  });

  it('is whole however long the history is', async () => {
    const { conversation_id, customer_id } = await write(gateway, door, fakeUser(), 'first');
    await gateway.pool`
      insert into messages (id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type, type, content)
      select gen_random_uuid(), business_id, conversation_id, channel_id, customer_id, n, 'inbound', 'customer', 'text', n::text
      from messages, generate_series(2, 650) n where conversation_id = ${conversation_id}`;
    expect(textsOf(await exported(customer_id)).length).toBe(650);
  });

  it('takes an admin of the business itself, is noted, and leads to whom somebody was merged into', async () => {
    const { customer_id } = await write(gateway, door, fakeUser());
    const agent = await gateway.call<{ key: string }>('POST', '/api/v1/api-keys', {
      name: 'x',
      role: 'agent',
    });
    const status = async (id: string, key: string) =>
      (await gateway.call('GET', pathOf(id), undefined, { key })).status;
    expect(await status(customer_id, agent.body.key)).toBe(403);
    expect(await status(customer_id, await otherBusiness(gateway))).toBe(404);
    expect(await status(customer_id, gateway.apiKey)).toBe(200);
    const noted = await gateway.pool`
      select 1 from audit_log where action = 'customer.exported' and subject_id = ${customer_id}`;
    expect(noted.length).toBe(1);
    const twin = await post('/customers', {});
    await post(`/customers/${customer_id}/merge`, { from: twin.body.id });
    const merged = await gateway.call<{ error: { merged_into_id: string } }>('GET', pathOf(twin.body.id));
    expect([merged.status, merged.body.error.merged_into_id]).toEqual([409, customer_id]);
  });
});
