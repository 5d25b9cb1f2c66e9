import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCallback } from '../support/callback.ts';
import { type Door, openDoor } from '../support/door.ts';
import { type EmailChannel, emailChannel } from '../support/email/channel.ts';
import { mail } from '../support/email/mails.ts';
import { type Recipient, startRecipient } from '../support/email/recipient.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { untilRead } from '../support/readers.ts';
import { fakeMessage, fakeUser, privateChat, update } from '../support/telegram/updates.ts';

interface Rating {
  id: string;
  agent_id: string | null;
  score: number | null;
  comment: string | null;
  source: string | null;
}

interface Button {
  text: string;
  callback_data?: string;
}

let gateway: TestGateway;
let door: Door;
let customers: Recipient;
let mailbox: EmailChannel;

beforeAll(async () => {
  // https, so that no bot is read by polling.
  gateway = await startTestGateway({ publicUrl: 'https://chat.example' });
  door = await openDoor(gateway);
  customers = await startRecipient();
  mailbox = await emailChannel(gateway, {
    address: 'support@shop.test',
    smtp: { host: '127.0.0.1', port: customers.port },
  });
  const enabled = await gateway.call('PATCH', '/api/v1/business', { csat: { is_enabled: true } });
  expect(enabled.status).toBe(200);
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await door.close();
  await customers.close();
});

async function act(method: string, conversationId: string, path: string, body?: unknown): Promise<void> {
  const { status } = await gateway.call(method, `/api/v1/conversations/${conversationId}${path}`, body);
  expect(status).toBeLessThan(300);
}

async function statusOf(conversationId: string): Promise<string> {
  return (await gateway.call<{ status: string }>('GET', `/api/v1/conversations/${conversationId}`)).body
    .status;
}

async function ratingsOf(conversationId: string): Promise<Rating[]> {
  const answer = await gateway.call<{ data: Rating[] }>(
    'GET',
    `/api/v1/conversations/${conversationId}/csat`,
  );
  return answer.body.data;
}

async function activitiesOf(conversationId: string): Promise<string[]> {
  const { body } = await gateway.call<{ data: { type: string; content: string }[] }>(
    'GET',
    `/api/v1/conversations/${conversationId}/messages?include=activity`,
  );
  return body.data.filter(({ type }) => type === 'activity').map(({ content }) => content);
}

/** Everything so far has been looked at for whom to ask. */
async function looked(): Promise<void> {
  await untilRead(gateway.pool, 'csat');
}

/** A new customer of the bot, who wrote and was answered. */
async function served(name: string) {
  const from = fakeUser({ first_name: name });
  const chat = privateChat(from);
  const say = (text: string) => door.post(update.text({ from, chat, text }));
  await say(`Hello from ${name}`);
  const { body } = await gateway.call<{ data: { id: string }[] }>('GET', `/api/v1/conversations/?q=${name}`);
  const id = body.data[0]?.id ?? '';
  await act('POST', id, '/messages', { content: 'Here you are' });
  return {
    id,
    say,
    async press(data: string) {
      const message = fakeMessage({ from: door.telegram.bot, chat });
      expect(await door.post(update.callback({ from, message, data }))).toBe(200);
    },
    /** Resolves it; resolves with the buttons that the customer is shown. */
    async resolved(): Promise<Button[]> {
      await act('PUT', id, '/resolve');
      return eventually(() => {
        const call = door.telegram.calls.findLast(
          ({ method, params }) =>
            method === 'sendMessage' && params['chat_id'] === chat.id && params['reply_markup'] !== undefined,
        );
        const markup = call?.params['reply_markup'] as { inline_keyboard: Button[][] };
        return markup.inline_keyboard.flat();
      });
    },
  };
}

/** The path of the page that a customer was sent a link to. */
function linkSentTo(address: string): Promise<string> {
  return eventually(() => {
    const found = customers.taken
      .filter(({ to }) => to.includes(address))
      .map(({ raw }) => /https:\/\/chat\.example(\/csat\/[\w.=\r\n-]+)/.exec(raw)?.[1]);
    const path = found.find((one) => one !== undefined);
    if (path === undefined) throw new Error('no link yet');
    return path.replaceAll(/=\r?\n/g, '').trim();
  });
}

describe('where there are buttons', () => {
  it('a customer is asked once it is resolved, and the pressed score reopens nothing', async () => {
    const { id, press, resolved } = await served('Ada');
    const buttons = await resolved();
    expect(buttons.map(({ text }) => text)).toEqual(['😞', '😕', '😐', '🙂', '😍']);
    expect(await ratingsOf(id)).toMatchObject([{ score: null, agent_id: gateway.agentId }]);
    await press(buttons[3]?.callback_data ?? '');
    await eventually(async () => expect(await ratingsOf(id)).toMatchObject([{ score: 4, source: 'chat' }]));
    expect(await statusOf(id)).toBe('resolved');
    expect((await activitiesOf(id)).at(-1)).toBe('Rated 4 of 5');
    // Once more, and another one: the first answer stands.
    await press(buttons[0]?.callback_data ?? '');
    await act('POST', id, '/reply', { message: 'noted', type: 'note' });
    const again = await gateway.call<{ error: { code: string; score: number } }>(
      'POST',
      `/api/v1/conversations/${id}/csat`,
      { score: 1 },
    );
    expect([again.status, again.body.error]).toMatchObject([409, { code: 'conflict', score: 4 }]);
    expect(await ratingsOf(id)).toMatchObject([{ score: 4 }]);
    expect(await statusOf(id)).toBe('resolved');
  });

  it('a typed number is a score too, and whatever else they write begins it again', async () => {
    const { id, say, resolved } = await served('Ben');
    await resolved();
    await say('2');
    await eventually(async () => expect(await ratingsOf(id)).toMatchObject([{ score: 2 }]));
    expect(await statusOf(id)).toBe('resolved');
    await say('3');
    await looked();
    expect([await statusOf(id), (await ratingsOf(id)).map(({ score }) => score)]).toEqual(['resolved', [2]]);
    await say('Actually, one more thing');
    expect(await statusOf(id)).toBe('open');
  });

  it('who has answered is not asked again about what they answered', async () => {
    const { id, say, resolved } = await served('Abe');
    await resolved();
    await say('5');
    await eventually(async () => expect(await ratingsOf(id)).toMatchObject([{ score: 5 }]));
    const again = async () => {
      await act('PUT', id, '/reopen');
      await act('PUT', id, '/resolve');
      await looked();
    };
    await again();
    expect(await ratingsOf(id)).toHaveLength(1);
    await act('POST', id, '/messages', { content: 'And here is the other half' });
    await again();
    expect((await ratingsOf(id)).map(({ score }) => score)).toEqual([null, 5]);
  });

  it('a score with words below it is one, and somebody reads the words', async () => {
    const { id, say, resolved } = await served('Bea');
    await resolved();
    await say('2\n\nIt is still broken!');
    await eventually(async () => expect(await ratingsOf(id)).toMatchObject([{ score: 2 }]));
    expect(await statusOf(id)).toBe('open');
  });

  it('a late answer counts for nothing, and after the next end they are asked anew', async () => {
    const { id, press, resolved, say } = await served('Cleo');
    const buttons = await resolved();
    await gateway.pool`update ratings set expires_at = now() - interval '1 minute' where conversation_id = ${id}`;
    await press(buttons[4]?.callback_data ?? '');
    await say('Are you there?');
    expect(await statusOf(id)).toBe('open');
    await act('PUT', id, '/resolve');
    await eventually(async () => expect(await ratingsOf(id)).toHaveLength(2));
    expect((await ratingsOf(id)).map(({ score }) => score)).toEqual([null, null]);
  });
});

describe('where there are only words', () => {
  it('a customer is asked with numbers, and answers with one, in the digits of their keyboard too', async () => {
    const program = await startCallback();
    const { body: channel } = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
      type: 'api',
      config: { callback_url: program.url, secret: program.secret },
    });
    const say = async (person: string, content: string) => {
      const { body } = await gateway.call<{ data: { conversation_id: string }[] }>(
        'POST',
        `/webhooks/api/${channel.id}`,
        { external_id: `${person}-${content}`, sender: { external_id: person }, content },
        { key: null, headers: { authorization: `Bearer ${program.secret}` } },
      );
      return body.data[0]?.conversation_id ?? '';
    };
    for (const [person, answer, score] of [
      ['ina', '4', 4],
      ['ida', '٥', 5],
      ['ivo', '😕', 2],
    ] as const) {
      const id = await say(person, 'Hello');
      await act('POST', id, '/messages', { content: 'Here you are' });
      await act('PUT', id, '/resolve');
      const told = () =>
        program.taken.map((one) => JSON.stringify(one)).filter((one) => one.includes(person));
      await eventually(() => expect(told().join()).toContain('How did we do?'));
      expect(await say(person, answer)).toBe(id);
      await eventually(async () => expect(await ratingsOf(id)).toMatchObject([{ score, source: 'chat' }]));
      expect(await statusOf(id)).toBe('resolved');
    }
    await program.close();
  });
});

describe('nobody is asked', () => {
  it('who was never answered, or whose channel says no', async () => {
    const from = fakeUser({ first_name: 'Spammer' });
    await door.post(update.text({ from, chat: privateChat(from), text: 'Buy now' }));
    const { body } = await gateway.call<{ data: { id: string }[] }>(
      'GET',
      '/api/v1/conversations/?q=Spammer',
    );
    const ignored = body.data[0]?.id ?? '';
    await act('PUT', ignored, '/resolve');
    const off = await served('Dora');
    const patched = await gateway.call<{ csat: { is_enabled: boolean; question: string } }>(
      'PATCH',
      `/api/v1/channels/${door.channelId}`,
      { csat: { is_enabled: false } },
    );
    expect(patched.body.csat).toMatchObject({ is_enabled: false, question: 'How did we do?' });
    await act('PUT', off.id, '/resolve');
    await looked();
    await gateway.call('PATCH', `/api/v1/channels/${door.channelId}`, { csat: null });
    const asked = await served('Emil');
    await asked.resolved();
    expect([await ratingsOf(ignored), await ratingsOf(off.id)]).toEqual([[], []]);
  });

  it('with answers that cannot be told apart', async () => {
    const { status, body } = await gateway.call<{ error: { details: { field: string }[] } }>(
      'PATCH',
      '/api/v1/business',
      {
        csat: { is_enabled: true, labels: ['a', 'a', 'b', 'c', 'd'] },
      },
    );
    expect([status, body.error.details[0]?.field]).toEqual([422, 'csat.labels']);
  });
});

describe('by email', () => {
  it('a link leads to a page, which takes one answer with a comment', async () => {
    expect(await mailbox.post(mail({ from: 'gil@customer.test', subject: 'An order' }))).toBe(200);
    const [conversation] = await mailbox.conversations();
    const id = conversation?.id ?? '';
    await act('POST', id, '/messages', { content: 'It is on its way.' });
    await act('PUT', id, '/resolve');
    const url = `${gateway.url}${await linkSentTo('gil@customer.test')}`;
    const answer = (fields: Record<string, string>) =>
      fetch(url, { method: 'POST', body: new URLSearchParams(fields) });

    const page = await fetch(url);
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining('How did we do?')]);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(await ratingsOf(id)).toMatchObject([{ score: null }]);
    expect((await answer({ score: '9' })).status).toBe(422);
    // As long as the page takes one: browsers count a line break once and send it as two characters.
    const more = '\r\nagain'.repeat(300);
    const thanks = await answer({ score: '5', comment: `Quick & <b>kind</b>\0${more}` });
    expect([thanks.status, await thanks.text()]).toEqual([200, expect.stringContaining('5 of 5')]);
    const repeated = await answer({ score: '1' });
    expect([repeated.status, await repeated.text()]).toEqual([200, expect.stringContaining('5 of 5')]);
    const comment = `Quick & <b>kind</b>${more.replaceAll('\r', '')}`;
    expect(await ratingsOf(id)).toMatchObject([{ score: 5, comment, source: 'page' }]);
    expect(await statusOf(id)).toBe('resolved');
    // A link that was cut short is opened by a person, too.
    for (const cut of [`${url}x`, url.slice(0, -1), `${gateway.url}/csat/nonsense`])
      for (const method of ['GET', 'POST']) {
        const none = await fetch(cut, { method });
        expect([none.status, await none.text()]).toEqual([404, expect.stringContaining('no such question')]);
      }
  });

  it('a link whose time is over says so', async () => {
    const row = await gateway.pool`select id from ratings where source = 'page'`;
    expect(row).toHaveLength(1);
    await gateway.pool`
      update ratings set score = null, answered_at = null, source = null, comment = null, expires_at = now() - interval '1 day'
      where source = 'page'`;
    const raw = customers.taken
      .map((one) => /\/csat\/([\w.=\r\n-]+)/.exec(one.raw)?.[1])
      .find((one) => one !== undefined);
    const url = `${gateway.url}/csat/${(raw ?? '').replaceAll(/=\r?\n/g, '').trim()}`;
    expect((await fetch(url)).status).toBe(410);
    expect((await fetch(url, { method: 'POST', body: new URLSearchParams({ score: '5' }) })).status).toBe(
      410,
    );
  });
});

describe('of whoever is erased', () => {
  it('nothing more is taken: a link that they still have is over', async () => {
    expect(await mailbox.post(mail({ from: 'hal@customer.test', subject: 'Forget me' }))).toBe(200);
    const id = (await mailbox.conversations()).find(({ subject }) => subject === 'Forget me')?.id ?? '';
    await act('POST', id, '/messages', { content: 'As you wish.' });
    await act('PUT', id, '/resolve');
    const url = `${gateway.url}${await linkSentTo('hal@customer.test')}`;
    const { customer } = await mailbox.conversation(id);
    const { status } = await gateway.call('DELETE', `/api/v1/customers/${customer.id}`);
    expect(status).toBe(204);
    const answer = { score: '1', comment: 'It was me, Hal' };
    expect((await fetch(url, { method: 'POST', body: new URLSearchParams(answer) })).status).toBe(410);
    expect(await ratingsOf(id)).toMatchObject([{ score: null, comment: null }]);
  });
});

describe('told by the business', () => {
  it('a score is kept, told as an event, and counts in both dialects', async () => {
    const { id } = await served('Finn');
    const { status, body } = await gateway.call<Rating>('POST', `/api/v1/conversations/${id}/csat`, {
      score: 3,
      comment: 'On the phone',
    });
    expect([status, body]).toMatchObject([201, { score: 3, comment: 'On the phone', source: 'api' }]);
    await eventually(async () => {
      const { body: events } = await gateway.call<{ data: { data: { csat?: object } }[] }>(
        'GET',
        '/api/v1/events?types=conversation.updated&limit=100',
      );
      expect(events.data.map(({ data }) => data.csat)).toContainEqual({ score: 3, comment: 'On the phone' });
    });
    const native = await gateway.call<{ csat: number }>('GET', '/api/v1/analytics/conversations');
    const support = await gateway.call<{ data: { csat: number } }>(
      'GET',
      '/api/support/analytics/conversations',
    );
    const [all] = await gateway.pool<[{ count: number; mean: number; happy: number }]>`
      select count(score)::int as count, round(avg(score), 3)::float8 as mean, count(*) filter (where score > 3)::int as happy
      from ratings`;
    expect([native.body.csat, support.body.data.csat]).toEqual([all.mean, all.mean]);
    const report = await gateway.call<{ data: { csat: object }[] }>(
      'GET',
      '/api/v1/analytics/report?group_by=agent',
    );
    expect(report.body.data[0]?.csat).toEqual(all);
    const overview = await gateway.call<{ customer_happiness: number }>('GET', '/api/v1/analytics/overview');
    expect(overview.body.customer_happiness).toBeCloseTo((100 * all.happy) / all.count, 1);
  });

  it.each([0, 6, 2.5, '5'])('%j is no score', async (score) => {
    const { id } = await served(`Hugo${String(score).replace('.', '')}`);
    const { status } = await gateway.call('POST', `/api/v1/conversations/${id}/csat`, { score });
    expect(status).toBe(422);
  });
});
