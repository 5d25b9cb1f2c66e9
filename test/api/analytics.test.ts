import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countEvents } from '../../src/core/analytics/count.ts';
import { type EventRow, readEvents, START } from '../../src/core/events.ts';
import { newId } from '../../src/core/id.ts';
import { type CallbackProgram, startCallback } from '../support/callback.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { otherBusiness } from '../support/inbox.ts';
import { untilRead } from '../support/readers.ts';

interface Spread {
  count: number;
  mean: number | null;
  median: number | null;
  p90: number | null;
}

interface Numbers {
  key: string | null;
  name: string | null;
  conversations: number;
  reopened: number;
  resolved: number;
  closed: number;
  messages_received: number;
  messages_sent: number;
  first_response: Spread;
  resolution: Spread;
  handle: Spread;
}

interface Report {
  from: string;
  to: string;
  timezone: string;
  total: Numbers;
  data: Numbers[];
}

let gateway: TestGateway;
let program: CallbackProgram;
let channelId: string;
let people = 0;

beforeAll(async () => {
  gateway = await startTestGateway();
  program = await startCallback();
  const created = await gateway.call<{ id: string }>('POST', '/api/v1/channels', {
    type: 'api',
    name: 'Our app',
    config: { callback_url: program.url, secret: program.secret },
    assignment: {
      mode: 'manual',
      working_hours: {
        timezone: 'Europe/Berlin',
        schedule: Object.fromEntries(
          ['mon', 'tue', 'wed', 'thu', 'fri'].map((day) => [day, { start: '09:00', end: '17:00' }]),
        ),
      },
    },
  });
  channelId = created.body.id;
}, 60_000);
afterAll(async () => {
  await gateway.stop();
  await program.close();
});

async function reportOf(query: string, key?: string): Promise<Report> {
  const answer = await gateway.call<Report>(
    'GET',
    `/api/v1/analytics/report?${query}`,
    undefined,
    key === undefined ? {} : { key },
  );
  expect([answer.status, answer.body]).toEqual([200, expect.anything()]);
  return answer.body;
}

/** A customer writes over our own channel; resolves with the conversation. */
async function say(person: string, content = 'Hello'): Promise<string> {
  people += 1;
  const { status, body } = await gateway.call<{ data: { conversation_id: string }[] }>(
    'POST',
    `/webhooks/api/${channelId}`,
    { external_id: `m-${people}`, sender: { external_id: person }, content },
    { key: null, headers: { authorization: `Bearer ${program.secret}` } },
  );
  expect(status).toBe(200);
  return body.data[0]?.conversation_id ?? '';
}

async function act(method: string, path: string, body?: unknown): Promise<void> {
  const answer = await gateway.call('POST' === method ? 'POST' : method, `/api/v1${path}`, body);
  expect([path, answer.status]).toEqual([path, answer.status < 300 ? answer.status : 'less than 300']);
}

const write = (id: string, content = 'An answer') =>
  act('POST', `/conversations/${id}/messages`, { content });

/** Every event so far has been counted. */
async function counted(): Promise<void> {
  await untilRead(gateway.pool, 'analytics');
}

describe('what really happened', () => {
  it('is counted as by hand, and counted anew from the events comes to the same', async () => {
    const answered = await say('ada');
    await write(answered);
    await act('PUT', `/conversations/${answered}/resolve`);
    await say('ada', 'Once more');
    await write(answered);
    await act('POST', `/conversations/${answered}/tags`, { tags: ['billing'] });
    await act('PUT', `/conversations/${answered}/close`);
    const waiting = await say('ben');
    await act('POST', `/conversations/${waiting}/snooze`, { until: '2099-01-01T00:00:00Z' });
    const gone = await say('cy');
    await act('POST', `/conversations/${gone}/merge`, { into: waiting });
    await act('POST', `/conversations/${waiting}/reply`, { message: 'A note', type: 'note' });
    await counted();

    const { total } = await reportOf(`channel_id=${channelId}`);
    expect(total).toMatchObject({
      conversations: 2,
      reopened: 1,
      resolved: 1,
      closed: 1,
      messages_received: 4,
      messages_sent: 2,
      first_response: { count: 2 },
      resolution: { count: 2 },
      handle: { count: 2 },
    });
    expect(total.first_response).toMatchObject(spreadOf(await waitsByHand(answered)));
    await expectTheSameAgain();
  });

  it('is counted once by two processes, and caught up with after nobody counted', async () => {
    const second = await startTestGateway({ database_: gateway.database });
    const before = (await reportOf('')).total.messages_received;
    for (let n = 0; n < 5; n += 1) await say(`person-${n}`);
    await second.stop();
    await counted();
    expect((await reportOf('')).total.messages_received).toBe(before + 5);
    await expectTheSameAgain();
  });

  it('is nothing to another business', async () => {
    const { total, data } = await reportOf('group_by=channel', await otherBusiness(gateway));
    expect([total.conversations, total.first_response, data]).toEqual([
      0,
      { count: 0, mean: null, median: null, p90: null },
      [],
    ]);
  });
});

/** Seconds from each question to its first answer, straight from the events. */
async function waitsByHand(conversationId: string): Promise<number[]> {
  const events = await gateway.pool<{ type: string; at: Date; sender: string | null }[]>`
    select type, occurred_at as at, data -> 'message' ->> 'sender_type' as sender from events
    where conversation_id = ${conversationId} order by seq`;
  const waits: number[] = [];
  let asked: Date | undefined;
  for (const { type, at, sender } of events) {
    if (type === 'message.received') asked ??= at;
    if (type !== 'message.created' || sender !== 'agent' || asked === undefined) continue;
    waits.push((at.getTime() - asked.getTime()) / 1000);
    asked = undefined;
  }
  return waits;
}

function spreadOf(values: number[]): Spread {
  const sorted = values.toSorted((one, other) => one - other);
  const at = (share: number) => {
    const place = share * (sorted.length - 1);
    const below = sorted[Math.floor(place)] ?? 0;
    return below + ((sorted[Math.ceil(place)] ?? 0) - below) * (place % 1);
  };
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const near = (value: number) => expect.closeTo(value, 2) as number;
  return { count: values.length, mean: near(mean), median: near(at(0.5)), p90: near(at(0.9)) };
}

/** The aggregates that were kept along the way, against all events counted at once into empty tables. */
async function expectTheSameAgain(): Promise<void> {
  const rollback = new Error('only looked');
  const work = gateway.pool.begin(async (tx) => {
    const kept = async () => [
      await tx`select * from rounds order by conversation_id, number`,
      await tx`select * from message_counts order by quarter, channel_id, agent_id, tags`,
    ];
    const before = await kept();
    expect(before[0]?.length).toBeGreaterThan(2);
    await tx`delete from rounds`;
    await tx`delete from message_counts`;
    await countEvents(tx, await readEvents(tx, { after: START, limit: 10_000 }));
    expect(await kept()).toEqual(before);
    throw rollback;
  });
  await expect(work).rejects.toBe(rollback);
}

/** What happened long ago, told by events of its own. */
class Past {
  #tags: string[] = [];
  readonly id = newId();
  readonly events: EventRow[] = [];
  #conversation: Record<string, unknown>;

  constructor(at: string, { assignee = gateway.agentId, tags = [] as string[] } = {}) {
    this.#tags = tags;
    this.#conversation = {
      id: this.id,
      business_id: gateway.businessId,
      channel_id: channelId,
      channel_type: 'api',
      assignee_id: assignee,
      status: 'open',
      tags: this.#tags,
      merged_into_id: null,
      created_at: at,
      first_response_at: null,
    };
    this.#happens('conversation.created', at);
    this.#happens('message.received', at, { direction: 'inbound', sender_type: 'customer', metadata: {} });
  }

  answered(at: string): this {
    const sender = { sender_type: 'agent', sender_id: gateway.agentId };
    return this.#happens('message.created', at, { direction: 'outbound', status: 'queued', ...sender });
  }

  becomes(status: string, at: string): this {
    this.#conversation = { ...this.#conversation, status };
    return this.#happens('conversation.status_changed', at);
  }

  async counted(): Promise<void> {
    await gateway.pool.begin((tx) => countEvents(tx, this.events));
  }

  #happens(type: string, at: string, message?: object): this {
    const data = { conversation: this.#conversation, ...(message === undefined ? {} : { message }) };
    this.events.push({
      type,
      data,
      occurred_at: new Date(at),
      business_id: gateway.businessId,
    } as unknown as EventRow);
    return this;
  }
}

describe('times', () => {
  it('have a mean, a median and a 90th percentile, by agent, tag, channel and type', async () => {
    for (const [n, seconds] of [60, 120, 600].entries()) {
      const at = (after: number) => new Date(Date.UTC(2024, 0, 10, 10, 0, after)).toISOString();
      const past = new Past(at(0), { tags: n === 0 ? ['vip', 'billing'] : ['billing'] });
      await past
        .answered(at(seconds))
        .becomes('resolved', at(seconds + 3600))
        .counted();
    }
    const january = 'from=2024-01-01&to=2024-01-31&timezone=UTC';
    const { total } = await reportOf(january);
    expect(total.first_response).toEqual({ count: 3, mean: 260, median: 120, p90: 504 });
    expect(total.resolution).toEqual({ count: 3, mean: 3860, median: 3720, p90: 4104 });
    expect(total.handle).toEqual({ count: 3, mean: 3600, median: 3600, p90: 3600 });
    const first = async (grouping: string) =>
      (await reportOf(`${january}&group_by=${grouping}`)).data.map((row) => [
        row.key,
        row.name,
        row.conversations,
        row.first_response.mean,
      ]);
    expect(await first('tag')).toEqual([
      ['billing', 'billing', 3, 260],
      ['vip', 'vip', 1, 60],
    ]);
    expect(await first('agent')).toEqual([[gateway.agentId, 'Owner', 3, 260]]);
    expect(await first('channel')).toEqual([[channelId, 'Our app', 3, 260]]);
    expect(await first('channel_type')).toEqual([['api', 'api', 3, 260]]);
    expect((await reportOf(`${january}&tag=vip`)).total).toMatchObject({
      conversations: 1,
      messages_received: 1,
    });
    expect((await reportOf(`${january}&agent_id=${newId()}`)).total.conversations).toBe(0);
  });

  it('belong to the day of the zone that is asked for, and a day without any is listed', async () => {
    // 23:30 in London is the next day in Berlin.
    await new Past('2024-02-10T23:30:00Z').counted();
    const days = async (zone: string) =>
      (await reportOf(`from=2024-02-09&to=2024-02-12&group_by=day&timezone=${zone}`)).data.map((day) => [
        day.key,
        day.conversations,
        day.messages_received,
      ]);
    expect(await days('Europe/London')).toEqual([
      ['2024-02-09', 0, 0],
      ['2024-02-10', 1, 1],
      ['2024-02-11', 0, 0],
      ['2024-02-12', 0, 0],
    ]);
    expect((await days('Europe/Berlin'))[2]).toEqual(['2024-02-11', 1, 1]);
    // A quarter to six hours ahead.
    expect((await days('Asia/Kathmandu'))[2]).toEqual(['2024-02-11', 1, 1]);
  });

  it('are whole where a day begins at one because the clocks go forward at midnight', async () => {
    // In Cairo April 24th 2026 began at 01:00, three hours ahead.
    for (const at of [
      '2026-04-23T22:30:00Z',
      '2026-04-24T20:30:00Z',
      '2026-04-24T21:30:00Z',
      '2026-04-26T20:30:00Z',
    ])
      await new Past(at).counted();
    const days = async (from: string, to: string) => {
      const { total, data } = await reportOf(`from=${from}&to=${to}&group_by=day&timezone=Africa/Cairo`);
      return [total.conversations, data.map(({ key, conversations }) => [key?.slice(-2), conversations])];
    };
    expect(await days('2026-04-24', '2026-04-26')).toEqual([
      4,
      [
        ['24', 2],
        ['25', 1],
        ['26', 1],
      ],
    ]);
    expect(await days('2026-04-23', '2026-04-24')).toEqual([
      2,
      [
        ['23', 0],
        ['24', 2],
      ],
    ]);
  });

  it('count only the hours of work where that is asked for', async () => {
    // Asked on a Friday half an hour before work ends in Berlin, answered on Monday an hour after it began.
    await new Past('2024-03-01T15:30:00Z')
      .answered('2024-03-04T09:00:00Z')
      .becomes('resolved', '2024-03-04T10:00:00Z')
      .counted();
    const march = 'from=2024-03-01&to=2024-03-10';
    const clock = (await reportOf(march)).total;
    expect(clock.first_response.mean).toBe(65.5 * 3600);
    const worked = (await reportOf(`${march}&working_hours=true`)).total;
    expect([worked.first_response.mean, worked.resolution.mean]).toEqual([1.5 * 3600, 2.5 * 3600]);
  });

  it('of handling leave out what was snoozed, and a reopening begins anew', async () => {
    await new Past('2024-04-01T10:00:00Z')
      .answered('2024-04-01T10:10:00Z')
      .becomes('snoozed', '2024-04-01T10:20:00Z')
      .becomes('open', '2024-04-02T10:20:00Z')
      .becomes('resolved', '2024-04-02T10:30:00Z')
      .becomes('closed', '2024-04-03T10:30:00Z')
      .becomes('open', '2024-04-04T10:00:00Z')
      .becomes('closed', '2024-04-04T11:00:00Z')
      .counted();
    const { total } = await reportOf('from=2024-04-01&to=2024-04-30');
    expect(total).toMatchObject({ conversations: 1, reopened: 1, resolved: 1, closed: 1 });
    expect(total.handle).toMatchObject({ count: 1, mean: 20 * 60 });
    expect(total.resolution).toMatchObject({ count: 2, p90: expect.any(Number) });
  });
});

describe('as CSV', () => {
  it('each group is a line, and no tag is a formula', async () => {
    await new Past('2024-05-01T10:00:00Z', { tags: ['=1+1'] }).answered('2024-05-01T10:01:30Z').counted();
    const answer = await gateway.call<string>(
      'GET',
      '/api/v1/analytics/report?from=2024-05-01&to=2024-05-01&group_by=tag&format=csv',
    );
    expect(answer.headers.get('content-type')).toBe('text/csv; charset=utf-8');
    const [head = '', line = '', ...rest] = answer.body.split('\n');
    expect(head).toMatch(/^key,name,conversations,.*first_response_mean/);
    expect(line).toMatch(/^'=1\+1,'=1\+1,1,/);
    expect(line).toContain(',90,');
    // Nothing came to an end: that is no number.
    expect(line).toMatch(/,0,,,,0,,,,0,,0$/);
    expect(rest).toEqual(['']);
  });

  it('opens in Excel with the letters that names have', async () => {
    await new Past('2024-05-03T10:00:00Z', { tags: ['Größe "XL", neu'] }).counted();
    const answer = await fetch(
      `${gateway.url}/api/v1/analytics/report?from=2024-05-03&to=2024-05-03&group_by=tag&format=csv`,
      { headers: { authorization: `Bearer ${gateway.apiKey}` } },
    );
    const bytes = Buffer.from(await answer.arrayBuffer());
    expect(bytes.subarray(0, 3).toString('hex')).toBe('efbbbf');
    expect(bytes.toString()).toContain('"Größe ""XL"", neu",');
  });
});

describe('the overview', () => {
  it('is computed from the last days', async () => {
    const { body } = await gateway.call<Record<string, unknown>>('GET', '/api/v1/analytics/overview');
    expect(body).toMatchObject({
      avg_first_response: expect.any(Number),
      resolution_rate: expect.any(Number),
      active_agents: 1,
      channel_mix: { api: 100 },
      median_handle_time: expect.any(Number),
      customer_happiness: null,
    });
    const [first] = body['top_agents'] as { agent_id: string; resolved: number }[];
    expect(first).toMatchObject({ agent_id: gateway.agentId, resolved: 1, messages_sent: 2 });
    // Seven began, one was merged away, one of them is over.
    expect([body['total_conversations'], body['resolution_rate']]).toEqual([7, 14.3]);
    expect(body['quick_pulse_open']).toBe(5);
  });

  it('and the numbers of all time mean the same by a resolution as the report does', async () => {
    const { body } = await gateway.call<Record<string, number>>('GET', '/api/v1/analytics/conversations');
    const [ever] = await gateway.pool<{ resolution: number; first_response: number }[]>`
      select round(avg(resolution)::numeric, 3)::float8 as resolution, round(avg(first_response)::numeric, 3)::float8 as first_response
      from rounds where not is_merged`;
    expect([body['avg_resolution_time'], body['avg_first_response_time']]).toEqual([
      ever?.resolution,
      ever?.first_response,
    ]);
  });

  it('has no averages where nothing happened', async () => {
    const key = await otherBusiness(gateway);
    const { body } = await gateway.call('GET', '/api/v1/analytics/overview', undefined, { key });
    expect(body).toEqual({
      total_conversations: 0,
      avg_first_response: null,
      resolution_rate: null,
      active_agents: 0,
      channel_mix: {},
      top_agents: [],
      quick_pulse_open: 0,
      median_handle_time: null,
      customer_happiness: null,
    });
    const support = await gateway.call('GET', '/api/support/analytics/conversations', undefined, { key });
    expect(support.body).toEqual({
      success: true,
      data: {
        totalConversations: 0,
        openConversations: 0,
        resolvedToday: 0,
        avgFirstResponseTime: null,
        avgResolutionTime: null,
        csat: null,
      },
    });
  });
});

it('refuses days that are none, backwards or too many, naming the field', async () => {
  const refused = async (query: string) => {
    const { status, body } = await gateway.call<{ error: { details: { field: string }[] } }>(
      'GET',
      `/api/v1/analytics/report?${query}`,
    );
    return [status, body.error.details[0]?.field];
  };
  expect(await refused('from=yesterday')).toEqual([422, 'from']);
  expect(await refused('from=2024-02-02&to=2024-02-01')).toEqual([422, 'from']);
  expect(await refused('from=2020-01-01&to=2024-02-01')).toEqual([422, 'from']);
  expect(await refused('timezone=Mars/Olympus')).toEqual([422, 'timezone']);
  // JavaScript and Postgres read an offset the opposite way.
  expect(await refused('timezone=%2B05:30')).toEqual([422, 'timezone']);
  expect(await refused('from=9999-12-01&to=9999-12-31')).toEqual([422, 'from']);
  expect(await refused('from=0000-01-01&to=0000-01-02&timezone=Asia/Tokyo')).toEqual([422, 'from']);
  const { status } = await gateway.call('PATCH', '/api/v1/business', { timezone: '-03:00' });
  expect(status).toBe(422);
  expect(await refused('group_by=mood')).toEqual([422, 'group_by']);
});

it('counts what a person did who is erased at once, too', async () => {
  const numbers = async () => {
    const { conversations, closed, messages_received } = (await reportOf('')).total;
    return [conversations, closed, messages_received];
  };
  await counted();
  const [begun = 0, ended = 0, received = 0] = await numbers();
  const conversation = await say('eve');
  const { body } = await gateway.call<{ customer_id: string }>(
    'GET',
    `/api/v1/conversations/${conversation}`,
  );
  const { status } = await gateway.call('DELETE', `/api/v1/customers/${body.customer_id}`);
  expect([202, 204]).toContain(status);
  await eventually(async () => expect(await numbers()).toEqual([begun + 1, ended + 1, received + 1]));
});

it('counts again what a crash of the database lost together with the place', async () => {
  const received = async () => (await reportOf('')).total.messages_received;
  await counted();
  const before = await received();
  const [place] = await gateway.pool`select seq, day from readers where name = 'analytics'`;
  const conversation = await say('fay');
  await counted();
  await gateway.pool.begin(async (tx) => {
    await tx`update readers set seq = ${place?.['seq']}, day = ${place?.['day']} where name = 'analytics'`;
    await tx`delete from rounds where conversation_id = ${conversation}`;
    await tx`
      update message_counts set received = received - 1
      where ctid = (select ctid from message_counts where received > 0 order by quarter desc limit 1)`;
  });
  await say('fay', 'Still there?');
  await counted();
  await eventually(async () => expect(await received()).toBe(before + 2));
});
