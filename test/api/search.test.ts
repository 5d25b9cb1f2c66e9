import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { refreshDocuments } from '../../src/core/search/documents.ts';
import { createTestDatabase } from '../support/database.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { otherBusiness } from '../support/inbox.ts';
import { untilRead } from '../support/readers.ts';

interface Hit {
  kind: 'message' | 'conversation' | 'customer';
  id: string;
  excerpt: string | null;
  conversation: { id: string; status: string } | null;
  customer: { id: string; name: string | null } | null;
}

interface Answer {
  data: Hit[];
  partial: boolean;
  matches: string;
}

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
}, 60_000);
afterAll(() => gateway.stop());

/** What is found in time; on a machine that is busy just now, once more. */
async function find(q: string, filters = '', on = gateway, key = on.apiKey): Promise<Answer> {
  const path = `/api/v1/search?q=${encodeURIComponent(q)}${filters}`;
  for (let tries = 1; ; tries += 1) {
    const answer = await on.call<Answer>('GET', path, undefined, { key });
    expect([q, answer.status]).toEqual([q, 200]);
    if (!answer.body.partial || tries === 5) return answer.body;
    await sleep(100);
  }
}

const kinds = async (q: string, filters = '') => (await find(q, filters)).data.map(({ kind }) => kind);

async function ok<T = { id: string }>(
  method: string,
  path: string,
  body?: unknown,
  on = gateway,
): Promise<T> {
  const answer = await on.call<T>(method, `/api/v1${path}`, body);
  expect([path, answer.status < 300]).toEqual([path, true]);
  return answer.body;
}

interface Opened {
  id: string;
  customer: string;
  message: string;
}

/** A conversation with a customer, in which something was written. */
async function opened(initial_message: string, fields: object = {}, on = gateway): Promise<Opened> {
  const customer = await ok('POST', '/customers', { name: 'Somebody', ...fields }, on);
  const { id, messages } = await ok<{ id: string; messages: { id: string }[] }>(
    'POST',
    '/conversations',
    { business_id: on.businessId, customer_id: customer.id, initial_message },
    on,
  );
  return { id, customer: customer.id, message: messages[0]?.id ?? '' };
}

/** Everything so far can be found. */
async function indexed(on = gateway): Promise<void> {
  await untilRead(on.pool, 'search-3');
}

describe('a search', () => {
  it('finds words of messages, their beginnings and their parts, with what stands around them', async () => {
    const { id, message, customer } = await opened(
      `Your washing machine leaves tomorrow. ${'More. '.repeat(50)}`,
    );
    await indexed();
    for (const q of ['washing', 'machine washing', 'WASH', 'ashing mach']) {
      const { data, partial, matches } = await find(q);
      expect([q, data.length, partial, matches]).toEqual([q, 1, false, 'parts']);
      expect(data[0]).toMatchObject({
        kind: 'message',
        id: message,
        conversation: { id },
        customer: { id: customer },
      });
      expect(data[0]?.excerpt).toMatch(/^Your washing machine .*…$/);
    }
    expect(await kinds('washing dishes')).toEqual([]);
    // What a message lacks is no word of it.
    expect(await kinds('null')).toEqual([]);
  });

  it('is also what `q` of the list of conversations finds', async () => {
    const { id, customer } = await opened('The gasket of my samovar leaks', {
      custom_attributes: { plan: 'tundra' },
    });
    await ok('POST', `/conversations/${id}/tags`, { tags: ['steampunk'] });
    await ok('PATCH', `/conversations/${id}`, { custom_attributes: { order: 'zx81-4711' } });
    await indexed();
    const listed = async (q: string) =>
      (await ok<{ data: { id: string }[] }>('GET', `/conversations?q=${encodeURIComponent(q)}`)).data;
    for (const q of ['samovar', 'steampunk', 'zx81-4711', 'tundra'])
      expect([q, await listed(q)]).toMatchObject([q, [{ id, customer: { id: customer } }]]);
    for (const q of ['samovars', '%', '-gasket', 'xx']) expect([q, await listed(q)]).toEqual([q, []]);
  });

  it('shows the words of a text in which there are more signs than letters', async () => {
    await opened(`${'سَلَامٌ '.repeat(60)}طَلَبِي تَأَخَّرَ ${'سَلَامٌ '.repeat(60)}`);
    await indexed();
    expect((await find('طلبي تأخر')).data[0]?.excerpt).toContain('طَلَبِي');
  });

  it.each([
    ['a letter with empty lines', `${'x\n\n\n\n\n\n\n'.repeat(60)} a pangolin ${'end '.repeat(60)}`],
    ['marks before it only', `${'سَلَامٌ '.repeat(60)} a pangolin ${'end '.repeat(60)}`],
    ['other words before it', `for the record: ${'filler '.repeat(60)} a pangolin ${'end '.repeat(60)}`],
  ])('shows the word that was asked for in %s', async (_what, text) => {
    const { id } = await opened(text);
    await indexed();
    for (const q of ['pangolin', 'pangolin a', 'nothing OR pangolin', '"a pangolin" -nothing']) {
      const hit = (await find(q)).data.find(({ conversation }) => conversation?.id === id);
      expect([q, hit?.excerpt]).toEqual([q, expect.stringContaining('a pangolin')]);
    }
  });

  it('knows phrases, either word, and what must not be there', async () => {
    await opened('The red kettle boils');
    await opened('The kettle is red');
    await indexed();
    expect(await kinds('"red kettle"')).toHaveLength(1);
    expect(await kinds('kettle -boils')).toHaveLength(1);
    expect(await kinds('boils OR nothing')).toHaveLength(1);
    for (const q of ['kett -boils', 'oil OR nothing', '“red kettle”', '"red kettle" -kettles'])
      expect([q, await kinds(q)]).toEqual([q, ['message']]);
    for (const q of ['"ed kettle"', 'kettle -red', '"kettle red"', '"red kettles"'])
      expect([q, await kinds(q)]).toEqual([q, []]);
  });

  it.each([
    ['I don’t know', ["don't", 'DON’T', '"don\'t know"']],
    ['My parcel 5151 is late', ['parcel:5151', 'parcel #5151', '"parcel 5151"']],
    ['Bestellung ORD-2026/11.', ['ord-2026/11', 'ORD–2026/11', '"ORD-2026/11"', '2026/11 -storniert']],
    ['We meet at 10:35', ['10:35', 'at 10:35']],
    ['Call +49 (171) 555-66-77, please', ['+49 171 5556677', '1715556677', '555-66']],
    ['Write to jo.doe+shop@mail.example', ['jo.doe', '"jo.doe+shop@mail.example"', '@mail.exam']],
    ['Ruf 0171 555 77 00 an', ['+49 171 5557700', '0049 171 5557700', '0171/5557700', '555-7700']],
    [
      'Tel. 030 1234 5551 - 0171 555 8882 - 0211 9876 5553',
      ['03012345551', '+49 171 5558882', '0211 98765553'],
    ],
    ['Out +44\u00a020\u00a07946\u20110444', ['+44 (0)20 7946 0444', '020 7946 0444', '79460444']],
    ['Sørensen aus Łódź, Œuvre, Đặng', ['sorensen', 'LODZ', 'oeuvre', '"dang"', 'SØRENSEN']],
    ['رقم الطلب ٤٧١١٠٩', ['471109', '۴۷۱۱۰۹', '٤٧١١٠٩']],
    ['یک کیک لطفا', ['كيك', 'کیک']],
    ['Straße und Gasse', ['STRASSE', 'strasse', '"STRASSE"']],
    ['أَيْنَ طَلَبِي العـــاجل؟ إلغاء', ['أين طلبي', 'العاجل', 'الغاء']],
    ['שָׁלוֹם', ['שלום']],
    ['我要退貨，订单号码', ['退貨', '"退貨"', '退貨 -取消', '取消 OR 退貨']],
    ['Kaputt 💔 leider', ['💔', 'kaputt 💔']],
  ])('finds %j however it is typed', async (text, questions) => {
    const { message } = await opened(text);
    await indexed();
    for (const q of questions) expect([q, (await find(q)).data.map(({ id }) => id)]).toEqual([q, [message]]);
  });

  it.each([
    ['Größe für Jürgen', 'grosse fur', 'jurgen'],
    ['Où est ma commande, déjà payée ?', 'deja', 'commande'],
    ['Где мой заказ из Москвы', 'МОСКВ', 'заказ'],
    ['注文した商品はどこですか', '商品は', '注文した'],
    ['أين طلبي رقم سبعة', 'طلبي', 'سبعة'],
    ['ฉันต้องการคืนสินค้า', 'คืนสินค้า', 'ต้องการ'],
  ])('finds in %j', async (text, one, other) => {
    const { message } = await opened(text);
    await indexed();
    const q = one === 'grosse fur' ? 'große fur' : one;
    for (const words of [q, other]) expect((await find(words)).data.map(({ id }) => id)).toContain(message);
  });

  it('finds people by name, email, phone however it is written, and attributes', async () => {
    const { customer } = await opened('Hello', {
      name: 'Zoë Brontë',
      email: 'zoe@moors.example',
      phone: '+49 151 234 567 89',
      custom_attributes: { plan: 'platinum', crm: { number: 'KD-4711' } },
    });
    await indexed();
    for (const q of [
      'zoe bronte',
      'moors.exam',
      'zoe@moors.example',
      '+4915123456789',
      '0151 23456789',
      '0049 (0)151 234-567-89',
      'platinum',
      'kd-4711',
    ]) {
      const { data } = await find(q, '&kind=customer');
      expect([q, data.map(({ id }) => id)]).toEqual([q, [customer]]);
    }
  });

  it('finds conversations by subject, tags and attributes, and what they are changed to', async () => {
    const { id } = await opened('Hello again');
    await ok('PATCH', `/conversations/${id}`, {
      subject: 'Broken teapot',
      custom_attributes: { order: 'A-99871' },
    });
    await ok('POST', `/conversations/${id}/tags`, { tags: ['warranty'] });
    await indexed();
    for (const q of ['teapot', '99871', 'warrant'])
      expect([q, await kinds(q)]).toEqual([q, ['conversation']]);
    await ok('DELETE', `/conversations/${id}/tags/warranty`);
    await indexed();
    expect(await kinds('warrant')).toEqual([]);
  });

  it('finds a file and a subject however long the text is', async () => {
    const { message } = await opened('long '.repeat(12_000));
    await gateway.pool`update messages set email = '{"subject": "Theremin"}' where id = ${message}`;
    await gateway.pool`
      insert into attachments (id, business_id, conversation_id, message_id, position, name, content_type, state)
      select uuidv7(), business_id, conversation_id, id, 0, 'ondes-martenot.pdf', 'application/pdf', 'ready' from messages
      where id = ${message}`;
    await gateway.pool.begin((tx) =>
      refreshDocuments(tx, { messages: [message], conversations: [], customers: [] }),
    );
    for (const q of ['theremin', 'martenot'])
      expect((await find(q)).data.map(({ id }) => id)).toEqual([message]);
  });

  it('narrows by filters, together too', async () => {
    const open = await opened('A saxophone, please');
    const done = await opened('Another saxophone');
    await ok('POST', `/conversations/${done.id}/tags`, { tags: ['music'] });
    await ok('POST', `/conversations/${done.id}/assign`, { assignee_id: gateway.agentId });
    await ok('PUT', `/conversations/${done.id}/resolve`);
    await indexed();
    const found = async (filters: string) =>
      (await find('saxophone', filters)).data.map(({ conversation }) => conversation?.id);
    expect(await found('')).toEqual([done.id, open.id]);
    expect(await found('&status=open')).toEqual([open.id]);
    expect(await found('&assignee_id=none')).toEqual([open.id]);
    expect(await found('&channel_type=widget')).toEqual([done.id, open.id]);
    expect(
      await found(`&status=resolved&tag=music&assignee_id=${gateway.agentId}&channel_type=webchat`),
    ).toEqual([done.id]);
    expect(await found(`&tag=music&status=open`)).toEqual([]);
    expect(await found(`&customer_id=${open.customer}`)).toEqual([open.id]);
    expect(await found('&before=2020-01-01T00:00:00Z')).toEqual([]);
    expect(await kinds('Somebody', `&kind=customer&tag=music&customer_id=${done.customer}`)).toEqual([
      'customer',
    ]);
  });

  it('goes by whose a conversation is now, however often it passed on', async () => {
    const { id: nobodys } = await ok('POST', '/conversations', {
      business_id: gateway.businessId,
      initial_message: 'A dulcimer for somebody',
    });
    const theirs = await opened('A dulcimer of mine', { name: 'Dora' });
    const other = await ok('POST', '/customers', { name: 'Otto' });
    await indexed();
    const found = async (customer: string) =>
      (await find('dulcimer', `&customer_id=${customer}`)).data.map((hit) => [
        hit.conversation?.id,
        hit.customer?.name,
      ]);
    expect(await found(other.id)).toEqual([]);
    await ok('PATCH', `/conversations/${nobodys}`, { customer_id: other.id });
    expect(await found(other.id)).toEqual([[nobodys, 'Otto']]);
    await ok('POST', `/customers/${other.id}/merge`, { from: theirs.customer });
    for (const id of [other.id, theirs.customer])
      expect(await found(id)).toEqual([
        [theirs.id, 'Otto'],
        [nobodys, 'Otto'],
      ]);
    await ok('DELETE', `/customers/${theirs.customer}/merge`);
    expect(await found(other.id)).toEqual([[nobodys, 'Otto']]);
    expect(await found(theirs.customer)).toEqual([[theirs.id, 'Dora']]);
  });

  it('follows edits and deletions, and takes no sign for a wildcard', async () => {
    const { id } = await opened('100%_sure about it');
    const note = await ok('POST', `/conversations/${id}/messages`, { content: 'A gramophone', type: 'note' });
    await indexed();
    expect([await kinds('100%_su'), await kinds('gramophone')]).toEqual([['message'], ['message']]);
    expect(await kinds('%_%_%')).toEqual([]);
    await ok('PATCH', `/messages/${note.id}`, { content: 'A phonograph' });
    await indexed();
    expect([await kinds('gramophone'), await kinds('phonograph')]).toEqual([[], ['message']]);
    await ok('DELETE', `/messages/${note.id}`);
    await indexed();
    expect(await kinds('phonograph')).toEqual([]);
  });

  it('refuses a question without words', async () => {
    for (const q of ['', ' ', 'x'.repeat(201)]) {
      const { status } = await gateway.call('GET', `/api/v1/search?q=${encodeURIComponent(q)}`);
      expect([q, status]).toEqual([q, 422]);
    }
    for (const q of ["'", '\\', '&|!()<->:*', '"', '-', "a' or 1=1 --"]) await find(q);
  });
});

describe('nothing is found', () => {
  it('by another business', async () => {
    await opened('A secret trombone', { name: 'Trombonist' });
    await indexed();
    expect(await kinds('trombon')).toHaveLength(2);
    expect((await find('trombon', '', gateway, await otherBusiness(gateway))).data).toEqual([]);
  });

  it('of a person who was erased', async () => {
    const { customer, id } = await opened('About my harpsichord', { name: 'Harpsichordist' });
    await ok('PATCH', `/conversations/${id}`, { subject: 'Harpsichord' });
    await gateway.call('POST', `/api/v1/conversations/${id}/csat`, {
      score: 1,
      comment: 'Harpsichord out of tune',
    });
    await indexed();
    expect((await kinds('harpsichord')).sort()).toEqual(['conversation', 'customer', 'message']);
    const { status } = await gateway.call('DELETE', `/api/v1/customers/${customer}`);
    expect(status).toBe(204);
    expect(await kinds('harpsichord')).toEqual([]);
    await indexed();
    const left = await gateway.pool`select id from search_documents where text like '%harpsichord%'`;
    const rated = await gateway.pool`select score, comment from ratings where conversation_id = ${id}`;
    expect([left.length, [...rated]]).toEqual([0, [{ score: 1, comment: null }]]);
  });
});

describe('the index', () => {
  it('begins with what was there before it, and catches up with what came while it was off', async () => {
    const database = await createTestDatabase();
    const first = await startTestGateway({ database_: database });
    await opened('Before the index', { name: 'Early Bird' }, first);
    await indexed(first);
    await first.stop();
    await database.pool`delete from readers where name = 'search-3'`;
    await database.pool`delete from search_documents`;
    const second = await startTestGateway({ database_: database });
    const ask = (q: string) => find(q, '', second, first.apiKey);
    await eventually(async () => {
      expect((await ask('before the index')).data).toHaveLength(1);
      expect((await ask('early bird')).data).toHaveLength(1);
    });
    await second.stop();

    const onlyApi = await startTestGateway({ database_: database, role: 'api' });
    const opening = { business_id: first.businessId, initial_message: 'While it was off' };
    const { status } = await onlyApi.call('POST', '/api/v1/conversations', opening, { key: first.apiKey });
    expect(status).toBe(201);
    await onlyApi.stop();
    const third = await startTestGateway({ database_: database });
    await eventually(async () =>
      expect((await find('while it was off', '', third, first.apiKey)).data).toHaveLength(1),
    );
    await third.stop();
    await database.drop();
  }, 60_000);

  it('answers the newest 200 and says that there are more', async () => {
    const ids = Array.from({ length: 230 }, () => newId());
    const { id, customer } = await opened('Many accordions');
    await gateway.pool`
      insert into messages (id, business_id, conversation_id, channel_id, customer_id, seq, direction, sender_type, type, content)
      select m.id, ${gateway.businessId}, ${id}, ${gateway.channelId}, ${customer}, 100 + n, 'inbound', 'customer', 'text', 'One accordion'
      from unnest(${ids}::uuid[]) with ordinality as m(id, n)`;
    await gateway.pool`
      insert into search_documents (id, business_id, kind, conversation_id, customer_id, at, text)
      select m.id, ${gateway.businessId}, 'message', ${id}, ${customer}, now(), 'one accordion' from unnest(${ids}::uuid[]) as m(id)`;
    await indexed();
    const { data, partial } = await find('accordion');
    expect([data.length, partial]).toEqual([200, true]);
  });

  it('finds all of what is rare, in any language, behind many newer documents', async () => {
    const { id, message } = await opened('Крокодил в саду, the tuba-player says: noise', { name: '王伟' });
    await ok('POST', `/conversations/${id}/tags`, { tags: ['zoo'] });
    await indexed();
    await gateway.pool`
      insert into search_documents (id, business_id, kind, at, text)
      select uuidv7(), ${gateway.businessId}, 'message', now() + interval '1 hour', 'noise ' || n from generate_series(1, 10001) n`;
    for (const q of ['крокод', 'рокоди', 'саду', 'says uba-pl', 'tuba -noises']) {
      const { data, partial } = await find(q);
      expect([q, data.map(({ id }) => id), partial]).toEqual([q, [message], false]);
    }
    // Two characters are too few for the index of parts: there are beginnings of words, and it says so.
    expect(await find('王伟')).toMatchObject({ data: [{ kind: 'customer' }], partial: true });
    // All customers are looked through where only they are asked for, however much was said.
    expect(await find('王伟', '&kind=customer')).toMatchObject({
      data: [{ kind: 'customer' }],
      partial: false,
    });
    // In few conversations all is looked through, however frequent or short a word is.
    for (const q of ['noise', 'ys'])
      expect(await find(q, '&tag=zoo')).toMatchObject({ data: [{ id: message }], partial: false });
    expect(await find('王伟', '&tag=zoo')).toMatchObject({ data: [{ kind: 'customer' }], partial: false });
    await gateway.pool`delete from search_documents where text like 'noise %'`;
  });

  it('answers in time where the database does not, and says that it may be less', async () => {
    let release = () => {};
    const held = gateway.pool.begin(async (tx) => {
      await tx`lock table search_documents in access exclusive mode`;
      await new Promise<void>((resolve) => {
        release = resolve;
      });
    });
    await eventually(async () => {
      const [row] = await gateway.pool<{ n: number }[]>`
        select count(*)::int as n from pg_locks where mode = 'AccessExclusiveLock' and granted and relation = 'search_documents'::regclass`;
      expect(row?.n).toBe(1);
    });
    expect(await find('anything')).toMatchObject({ data: [], partial: true });
    release();
    await held;
  });

  it('without pg_trgm finds words and their beginnings, and says so', async () => {
    const database = await createTestDatabase();
    await database.pool`drop index search_documents_parts`;
    const bare = await startTestGateway({ database_: database });
    await opened('A lonely xylophone', {}, bare);
    await indexed(bare);
    expect(await find('xylo', '', bare)).toMatchObject({ matches: 'words', data: [{ kind: 'message' }] });
    expect((await find('lophone', '', bare)).data).toEqual([]);
    await bare.stop();
    await database.drop();
  }, 60_000);
});
