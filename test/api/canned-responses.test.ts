import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { otherBusiness } from '../support/inbox.ts';

let gateway: TestGateway;
let conversation: string;
let nobody: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  const customer = await ok<{ id: string }>('POST', '/customers', {
    name: 'Ada',
    email: 'ada@example.com',
    custom_attributes: {
      plan: 'pro',
      seats: 3,
      nested: { a: 1 },
      evil: '{{agent.email}}',
      long: 'x'.repeat(900),
      smiling: `${'x'.repeat(499)}😀`,
      größe: 'XL',
    },
  });
  conversation = (
    await ok<{ id: string }>('POST', '/conversations', {
      business_id: gateway.businessId,
      customer_id: customer.id,
      subject: 'Order 7',
    })
  ).id;
  await ok('PATCH', `/conversations/${conversation}`, { custom_attributes: { order: '4711' } });
  nobody = (await ok<{ id: string }>('POST', '/conversations', { business_id: gateway.businessId })).id;
});
afterAll(() => gateway.stop());

interface Canned {
  id: string;
  title: string;
  shortcut: string | null;
  content: string;
  attachments: { id: string | null; url: string; name: string }[];
}

interface Rendered {
  content: string;
  missing: string[];
  attachments: { url: string; name: string }[];
}

interface Refusal {
  error: { code: string; details: { field: string; message: string }[] };
}

async function ok<T = Canned>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await gateway.call<T>(method, `/api/v1${path}`, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

async function refused(method: string, path: string, body: unknown) {
  const { status, body: answer } = await gateway.call<Refusal>(method, `/api/v1${path}`, body);
  const [detail] = answer.error.details;
  return [status, detail?.field, detail?.message];
}

const write = (fields: object) => ok('POST', '/canned-responses', { title: 'T', content: 'C', ...fields });

async function rendered(content: string, conversation_id = conversation): Promise<Rendered> {
  const { id } = await write({ content });
  return ok<Rendered>('POST', `/canned-responses/${id}/render`, { conversation_id });
}

describe('canned responses', () => {
  it('are written, listed, found, changed and deleted', async () => {
    const first = await write({ title: 'Refunds', shortcut: 'refund', content: 'Within 30 days.' });
    expect(await ok('GET', `/canned-responses/${first.id}`)).toEqual(first);
    const found = async (query: string) =>
      (await ok<{ data: Canned[] }>('GET', `/canned-responses?${query}`)).data.map(({ id }) => id);
    for (const query of ['q=30%20days', 'q=REFUND', 'shortcut=/Refund', 'shortcut=refund'])
      expect([query, await found(query)]).toEqual([query, [first.id]]);
    expect(await found('q=30%25days')).toEqual([]);
    const changed = await ok('PATCH', `/canned-responses/${first.id}`, { content: 'Within 14 days.' });
    expect(changed).toMatchObject({ title: 'Refunds', shortcut: 'refund', content: 'Within 14 days.' });
    expect(await ok('PATCH', `/canned-responses/${first.id}`, { shortcut: null })).toMatchObject({
      shortcut: null,
    });
    expect((await gateway.call('DELETE', `/api/v1/canned-responses/${first.id}`)).status).toBe(204);
    expect((await gateway.call('GET', `/api/v1/canned-responses/${first.id}`)).status).toBe(404);
  });

  it('have shortcuts of their own, whatever the capitals and the slash', async () => {
    await write({ shortcut: '/Bye' });
    const answer = await gateway.call<Refusal>('POST', '/api/v1/canned-responses', {
      title: 'T',
      content: 'C',
      shortcut: 'bye',
    });
    expect([answer.status, answer.body.error.details[0]?.field]).toEqual([409, 'shortcut']);
    const other = await write({ shortcut: '/later' });
    const taken = await gateway.call('PATCH', `/api/v1/canned-responses/${other.id}`, { shortcut: '/bye' });
    expect(taken.status).toBe(409);
    const elsewhere = await gateway.call(
      'POST',
      '/api/v1/canned-responses',
      { title: 'T', content: 'C', shortcut: '/bye' },
      { key: await otherBusiness(gateway) },
    );
    expect(elsewhere.status).toBe(201);
    await write({ shortcut: '/caf\u00e9' });
    expect(
      (await refused('POST', '/canned-responses', { title: 'T', content: 'C', shortcut: 'CAFE\u0301' }))[0],
    ).toBe(409);
    expect(
      (await ok<{ data: Canned[] }>('GET', `/canned-responses?shortcut=${encodeURIComponent('cafe\u0301')}`))
        .data,
    ).toHaveLength(1);
    for (const shortcut of ['two words', '/', 'a/b', '', '\u200b', 'b\u00adye'])
      expect((await refused('POST', '/canned-responses', { title: 'T', content: 'C', shortcut }))[1]).toBe(
        'shortcut',
      );
  });
});

it('is not found any more by a change that was slower than its deletion', async () => {
  const { id } = await write({});
  const { id: rule } = await ok('POST', '/automation-rules', {
    trigger: 'message.received',
    actions: [{ type: 'unassign' }],
  });
  const { pool } = gateway;
  const changes = await pool.begin(async (tx) => {
    await tx`select id from canned_responses where id = ${id} for update`;
    await tx`select id from automation_rules where id = ${rule} for update`;
    const late = [
      gateway.call('PATCH', `/api/v1/canned-responses/${id}`, { title: 'Late' }),
      gateway.call('PATCH', `/api/v1/automation-rules/${rule}`, { name: 'Late' }),
    ];
    await eventually(async () => {
      const waiting = await pool`
        select 1 from pg_stat_activity
        where datname = current_database() and wait_event_type = 'Lock' and query like '%for update%'`;
      expect(waiting).toHaveLength(2);
    });
    await tx`delete from canned_responses where id = ${id}`;
    await tx`delete from automation_rules where id = ${rule}`;
    return { late };
  });
  expect((await Promise.all(changes.late)).map(({ status }) => status)).toEqual([404, 404]);
});

describe('variables', () => {
  it('say what is known of the customer, the conversation and its channel, attributes too', async () => {
    const { content, missing } = await rendered(
      '{{visitor.name}} {{customer.email}} {{visitor.plan}} {{visitor.größe}} {{visitor.seats}} {{ conversation.subject }} {{conversation.order}} {{channel.type}}',
    );
    expect(content).toBe('Ada ada@example.com pro XL 3 Order 7 4711 webchat');
    expect(missing).toEqual([]);
  });

  it('that have no value leave no gap, give way to their own words, and are named', async () => {
    const text =
      'Hi {{visitor.name}}! Your {{visitor.plan | current}} plan, {{visitor.name|friend}}. {{visitor.nested}}';
    expect(await rendered(text, nobody)).toMatchObject({
      content: 'Hi! Your current plan, friend.',
      missing: ['visitor.name', 'visitor.nested'],
    });
  });

  it('are filled in once: a value that looks like a variable stays what it is', async () => {
    expect((await rendered('{{visitor.evil}}')).content).toBe('{{agent.email}}');
    expect((await rendered('{{visitor.long}}')).content).toHaveLength(500);
    expect((await rendered('{{visitor.smiling}}!')).content).toBe(`${'x'.repeat(499)}!`);
    expect((await rendered('{{visitor.constructor}}{{visitor.toString}}')).content).toBe('');
  });

  it('cannot be a bomb, nor a typo that customers would read', async () => {
    const content = async (text: string) =>
      refused('POST', '/canned-responses', { title: 'T', content: text });
    expect(await content('{{visitor.name}}'.repeat(51))).toEqual([
      422,
      'content',
      expect.stringContaining('50'),
    ]);
    expect((await content('x'.repeat(10_001)))[1]).toBe('content');
    expect(await content(' \n')).toEqual([422, 'content', expect.stringContaining('nothing')]);
    for (const text of ['{{visitr.name}}', '{{agent.salary}}', '{{company.secret}}'])
      expect(await content(text)).toEqual([422, 'content', expect.stringContaining('does not exist')]);
    for (const text of [
      'Hi {{visitor.name}',
      '{{{{visitor.name}}}}',
      '{{}}',
      '{{visitor}}',
      '{{visitor.a b}}',
    ])
      expect([text, ...(await content(text))]).toEqual([text, 422, 'content', expect.any(String)]);
    const endless = `${'{{a.'.repeat(2_400)}`;
    expect((await content(endless))[0]).toBe(422);
  });

  it('are those of a conversation of the business', async () => {
    const { id } = await write({ content: 'x' });
    const foreign = '01900000-0000-7000-8000-000000000000';
    expect(await refused('POST', `/canned-responses/${id}/render`, { conversation_id: foreign })).toEqual([
      422,
      'conversation_id',
      expect.any(String),
    ]);
  });
});

describe('attachments', () => {
  async function upload(text: string): Promise<{ id: string; url: string }> {
    const form = new FormData();
    form.set('file', new File([text], 'terms.txt', { type: 'text/plain' }));
    const answer = await gateway.call<{ id: string; url: string }>(
      'POST',
      '/api/v1/canned-responses/upload',
      form,
    );
    expect(answer.status).toBe(201);
    return answer.body;
  }

  it('go into any number of messages, and stay there when the response is deleted', async () => {
    const { url } = await upload('our terms');
    const canned = await write({ content: 'See {{visitor.name}}', attachments: [{ url }] });
    expect(canned.attachments).toMatchObject([{ name: 'terms.txt', type: 'text/plain', size: 9 }]);
    for (const conversation_id of [conversation, nobody]) {
      const { content, attachments } = await ok<Rendered>('POST', `/canned-responses/${canned.id}/render`, {
        conversation_id,
      });
      const message = await ok<{ id: string }>('POST', `/conversations/${conversation_id}/messages`, {
        content,
        attachments,
      });
      const sent = await eventually(async () => {
        const now = await ok<{ attachments: { state: string; url: string }[] }>(
          'GET',
          `/messages/${message.id}`,
        );
        expect(now.attachments).toMatchObject([{ state: 'ready' }]);
        return now;
      });
      expect(await (await fetch(sent.attachments[0]?.url ?? '')).text()).toBe('our terms');
    }
    await gateway.call('DELETE', `/api/v1/canned-responses/${canned.id}`);
    await eventually(async () => expect((await fetch(canned.attachments[0]?.url ?? '')).status).toBe(404));
    const { messages } = await ok<{ messages: { attachments: { url: string }[] }[] }>(
      'GET',
      `/conversations/${nobody}`,
    );
    expect((await fetch(messages.at(-1)?.attachments[0]?.url ?? '')).status).toBe(200);
  });

  it('are replaced as a whole, and may be addresses elsewhere', async () => {
    const { id: file } = await upload('one');
    const canned = await write({ attachments: [{ id: file }, 'http://127.0.0.1:8/price.pdf'] });
    expect(canned.attachments.map(({ id }) => id)).toEqual([file, null]);
    const kept = await ok('PATCH', `/canned-responses/${canned.id}`, { attachments: [{ id: file }] });
    expect(kept.attachments.map(({ id }) => id)).toEqual([file]);
    await ok('PATCH', `/canned-responses/${canned.id}`, { attachments: [] });
    expect(await gateway.pool`select id from attachments where id = ${file}`).toEqual([]);
    const taken = { title: 'T', content: 'C', attachments: [{ id: file }] };
    expect((await refused('POST', '/canned-responses', taken)).slice(0, 2)).toEqual([422, 'attachments.0']);
    const inside = { title: 'T', content: 'C', attachments: ['http://169.254.169.254/latest'] };
    expect((await refused('POST', '/canned-responses', inside)).slice(0, 2)).toEqual([
      422,
      'attachments.0.url',
    ]);
  });
});
