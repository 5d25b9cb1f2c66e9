import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Door, openDoor, PUBLIC_URL } from '../support/door.ts';
import { eventually, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { untilRead } from '../support/readers.ts';
import { fakeUser, update } from '../support/telegram.ts';

let gateway: TestGateway;
let second: TestGateway;
let door: Door;
let ada: Agent;
let grace: Agent;
let joan: Agent;

beforeAll(async () => {
  gateway = await startTestGateway({ publicUrl: PUBLIC_URL });
  second = await startTestGateway({ publicUrl: PUBLIC_URL, database_: gateway.database });
  door = await openDoor(gateway);
  [ada, grace, joan] = [await agent('Ada'), await agent('Grace'), await agent('Joan')];
});
beforeEach(async () => {
  for (const one of [ada, grace, joan]) await one.is('offline');
  await policy({ mode: 'manual' });
});
afterAll(async () => {
  await second.stop();
  await gateway.stop();
  await door.close();
});

interface Agent {
  id: string;
  is(status: string): Promise<void>;
}

interface Conversation {
  id: string;
  assignee_id: string | null;
  team_id: string | null;
  needs_human_handoff: boolean;
}

async function ok<T>(method: string, path: string, body?: unknown): Promise<T> {
  const answer = await gateway.call<T>(method, `/api/v1${path}`, body);
  if (answer.status >= 300) throw new Error(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  return answer.body;
}

let invited = 0;

async function agent(name: string, role = 'agent'): Promise<Agent> {
  const email = `agent-${++invited}@example.com`;
  const { id, api_key: key } = await ok<{ id: string; api_key: string }>('POST', '/team/invite', {
    email,
    name,
    role,
  });
  return {
    id,
    async is(status) {
      const answer = await gateway.call('PATCH', '/api/v1/team/status', { status }, { key });
      expect(answer.status).toBe(200);
    },
  };
}

const policy = (assignment: object) => ok('PATCH', `/channels/${door.channelId}`, { assignment });

/** Somebody new writes; the conversation that it opens. */
async function customerWrites(url = gateway.url, from = fakeUser()): Promise<string> {
  expect(await door.post(update.text({ from }), { url })).toBe(200);
  const [row] = await gateway.pool<{ id: string }[]>`
    select id from conversations where thread_key = ${String(from.id)} order by created_at desc limit 1`;
  return row?.id ?? '';
}

const read = (id: string) => ok<Conversation>('GET', `/conversations/${id}`);
const assigneeOf = async (id: string) => (await read(id)).assignee_id;
const assigned = (id: string, to: Agent) => eventually(async () => expect(await assigneeOf(id)).toBe(to.id));

/** What has happened so far was looked at under the policy of its time. */
async function everythingWasRead(): Promise<void> {
  await untilRead(gateway.pool, 'assigner');
}

/** Nobody has it even after every reader had its turn. */
async function staysWaiting(id: string): Promise<void> {
  await eventually(async () => {
    const [row] = await gateway.pool`select assign_at > now() as waits from conversations where id = ${id}`;
    expect(row).toEqual({ waits: true });
  });
  expect(await assigneeOf(id)).toBeNull();
}

describe('a channel', () => {
  it('assigns nothing by itself while its mode is manual', async () => {
    await ada.is('live');
    const before = await customerWrites();
    await everythingWasRead();
    await policy({ mode: 'round_robin' });
    await assigned(await customerWrites(), ada);
    expect(await assigneeOf(before)).toBeNull();
  });

  it('gives its conversations in turns to those who are live, and says so', async () => {
    await ada.is('live');
    await grace.is('live');
    await joan.is('away');
    await policy({ mode: 'round_robin', agent_ids: [ada.id, grace.id, joan.id] });
    const ids: string[] = [];
    for (let n = 0; n < 4; n++) {
      ids.push(await customerWrites());
      await eventually(async () => expect(await assigneeOf(ids.at(-1) ?? '')).not.toBeNull());
    }
    const to = await Promise.all(ids.map(assigneeOf));
    expect(new Set(to.slice(0, 2))).toEqual(new Set([ada.id, grace.id]));
    expect(to.slice(2)).toEqual(to.slice(0, 2));
    const { data } = await ok<{ data: { type: string; content: string; sender_type: string }[] }>(
      'GET',
      `/conversations/${ids[0]}/messages?include=activity`,
    );
    expect(data.at(-1)).toMatchObject({ type: 'activity', sender_type: 'system' });
    expect(data.at(-1)?.content).toMatch(/^Assigned to (Ada|Grace)$/);
  });

  it('gives to whom is the least busy', async () => {
    await ada.is('live');
    await grace.is('live');
    await policy({ mode: 'manual' });
    for (let n = 0; n < 20; n++) {
      const open = await gateway.pool<{ id: string }[]>`
        select id from conversations where assignee_id = ${grace.id} and status = 'open'`;
      const mine =
        await gateway.pool`select id from conversations where assignee_id = ${ada.id} and status = 'open'`;
      if (open.length < mine.length) break;
      for (const { id } of open) await ok('PUT', `/conversations/${id}/resolve`);
      await ok('POST', `/conversations/${await customerWrites()}/assign`, { assignee_id: ada.id });
    }
    await policy({ mode: 'least_busy', agent_ids: [ada.id, grace.id] });
    await assigned(await customerWrites(), grace);
  });

  it('lets a conversation wait while nobody is live, and gives it to the first who comes', async () => {
    await policy({ mode: 'round_robin' });
    const id = await customerWrites();
    await staysWaiting(id);
    await ada.is('away');
    await joan.is('live');
    await assigned(id, joan);
  });

  it('lets it wait outside of working hours, until they begin', async () => {
    await ada.is('live');
    const day = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'][(new Date().getUTCDay() + 3) % 7] ?? '';
    const hours = (schedule: object) => ({ timezone: 'UTC', schedule });
    const closed = hours({ [day]: [{ start: '09:00', end: '17:00' }] });
    await policy({ mode: 'round_robin', agent_ids: [ada.id], working_hours: closed });
    const id = await customerWrites();
    await staysWaiting(id);
    const [row] = await gateway.pool<
      { assign_at: Date }[]
    >`select assign_at from conversations where id = ${id}`;
    expect(row?.assign_at.toISOString()).toMatch(/T09:00:00\.000Z$/);
    const always = Object.fromEntries(
      ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'].map((it) => [it, { start: '00:00', end: '24:00' }]),
    );
    await policy({ mode: 'round_robin', agent_ids: [ada.id], working_hours: hours(always) });
    await assigned(id, ada);
  });

  it('gives one that a bot has to a person once the bot hands it off', async () => {
    const bot = await agent('Bot', 'bot');
    await bot.is('live');
    await policy({ mode: 'round_robin', agent_ids: [bot.id] });
    const id = await customerWrites();
    await assigned(id, bot);
    await ada.is('live');
    await policy({ mode: 'round_robin', agent_ids: [ada.id] });
    await ok('POST', `/conversations/${id}/handoff`, { reason: 'user_requested' });
    await assigned(id, ada);
    expect((await read(id)).needs_human_handoff).toBe(false);
  });

  it('names what of its assignment is not the business’s', async () => {
    const refused = async (assignment: object) => {
      const { status, body } = await gateway.call<{ error: { details: { field: string }[] } }>(
        'PATCH',
        `/api/v1/channels/${door.channelId}`,
        { assignment },
      );
      return [status, body.error.details[0]?.field];
    };
    const nobody = '01900000-0000-7000-8000-000000000000';
    expect(await refused({ mode: 'round_robin', agent_ids: [ada.id, nobody] })).toEqual([
      422,
      'assignment.agent_ids.1',
    ]);
    expect(await refused({ mode: 'round_robin', team_id: nobody })).toEqual([422, 'assignment.team_id']);
    expect(await refused({ mode: 'by_mood' })).toEqual([422, 'assignment.mode']);
    expect(await refused({ mode: 'manual', working_hours: { timezone: 'Mars', schedule: {} } })).toEqual([
      422,
      'assignment.working_hours.timezone',
    ]);
  });

  it('gives each conversation to one agent, evenly, whichever process hears of it', async () => {
    await ada.is('live');
    await grace.is('live');
    await policy({ mode: 'round_robin', agent_ids: [ada.id, grace.id] });
    const ids = await Promise.all(
      Array.from({ length: 20 }, (_, n) => customerWrites(n % 2 === 0 ? gateway.url : second.url)),
    );
    await eventually(async () => {
      const [row] = await gateway.pool`
        select count(*) filter (where assignee_id = ${ada.id})::int as ada,
          count(*) filter (where assignee_id = ${grace.id})::int as grace
        from conversations where id = any(${ids})`;
      expect(row).toEqual({ ada: 10, grace: 10 });
    });
    const events = await gateway.pool`
      select conversation_id from events where type = 'conversation.assigned' and conversation_id = any(${ids})`;
    expect(events).toHaveLength(20);
  });
});

describe('a team', () => {
  let team: string;
  beforeAll(async () => {
    team = (await ok<{ id: string }>('POST', '/teams', { name: 'Sales', members: [ada.id, grace.id] })).id;
  });

  it('is taken wherever an assignee is, and passes on what it is given', async () => {
    await ada.is('live');
    const ways: ((id: string) => Promise<unknown>)[] = [
      (id) => ok('POST', `/conversations/${id}/assign`, { assignee_id: team }),
      (id) => ok('PUT', `/conversations/${id}/assign/${team}`),
      (id) => ok('POST', `/team/assign/${id}?agent_id=${team}`),
      (id) => gateway.call('POST', `/api/support/conversations/${id}/assign`, { assigneeId: team }),
    ];
    for (const give of ways) {
      const id = await customerWrites();
      await give(id);
      expect(await read(id)).toMatchObject({ team_id: team, assignee_id: ada.id });
      const before = await read(id);
      await give(id);
      expect(await read(id)).toEqual(before);
    }
    const created = await ok<Conversation>('POST', '/conversations', {
      business_id: gateway.businessId,
      channel_id: gateway.channelId,
      assignee_id: team,
    });
    expect(created).toMatchObject({ team_id: team, assignee_id: ada.id });
  });

  it('keeps a conversation until one of its agents is live, and is the assignee that product B shows', async () => {
    const id = await customerWrites();
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: team });
    expect(await read(id)).toMatchObject({ team_id: team, assignee_id: null });
    const { body } = await gateway.call<{ data: { assignee: object } }>(
      'GET',
      `/api/support/conversations/${id}`,
    );
    expect(body.data.assignee).toEqual({ id: team, name: 'Sales' });
    await joan.is('live');
    await staysWaiting(id);
    await ok('PUT', `/teams/${team}/members/${joan.id}`);
    await assigned(id, joan);
    await ok('DELETE', `/teams/${team}/members/${joan.id}`);
    expect(await read(id)).toMatchObject({ team_id: team, assignee_id: joan.id });
  });

  it('lists what was given to it, in both dialects', async () => {
    const id = await customerWrites();
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: team });
    const native = await ok<{ data: Conversation[] }>('GET', `/conversations?assignee_id=${team}&limit=100`);
    expect(native.data.map((one) => one.id)).toContain(id);
    expect(new Set(native.data.map((one) => one.team_id))).toEqual(new Set([team]));
    const support = await gateway.call<{ data: { id: string }[]; meta: { total: number } }>(
      'GET',
      `/api/support/conversations?assigneeId=${team}&limit=100`,
    );
    expect(support.body.data.map((one) => one.id)).toEqual(native.data.map((one) => one.id));
    expect(support.body.meta.total).toBe(native.data.length);
  });

  it('gets what a channel gives it, and passes it on as the channel says', async () => {
    await grace.is('live');
    await policy({ mode: 'manual', team_id: team });
    const waiting = await customerWrites();
    await eventually(async () =>
      expect(await read(waiting)).toMatchObject({ team_id: team, assignee_id: null }),
    );
    await policy({ mode: 'least_busy', team_id: team });
    const id = await customerWrites();
    await assigned(id, grace);
    expect((await read(id)).team_id).toBe(team);
    const refused = await gateway.call('DELETE', `/api/v1/teams/${team}`);
    expect(refused.status).toBe(409);
  });

  it('passes on what an agent leaves behind', async () => {
    const leaving = await agent('Leaving');
    await ok('PUT', `/teams/${team}/members/${leaving.id}`);
    await leaving.is('live');
    const id = await customerWrites();
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: team });
    await assigned(id, leaving);
    await grace.is('live');
    await ok('DELETE', `/team/members/${leaving.id}`);
    await assigned(id, grace);
    const { members } = await ok<{ members: string[] }>('GET', `/teams/${team}`);
    expect(members).toEqual([ada.id, grace.id]);
  });

  it('lets go of a conversation that is given to somebody outside of it, and keeps it within', async () => {
    const id = await customerWrites();
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: team });
    expect(await ok('POST', `/conversations/${id}/assign`, { assignee_id: grace.id })).toMatchObject({
      team_id: team,
      assignee_id: grace.id,
    });
    expect(await ok('POST', `/conversations/${id}/assign`, { assignee_id: joan.id })).toMatchObject({
      team_id: null,
      assignee_id: joan.id,
    });
  });

  it('is named, changed and dissolved, and is nobody’s assignee then', async () => {
    const other = await ok<{ id: string; members: string[] }>('POST', '/teams', { name: 'Night shift' });
    expect(other.members).toEqual([]);
    expect((await gateway.call('POST', '/api/v1/teams', { name: 'NIGHT SHIFT' })).status).toBe(409);
    const changed = await ok('PATCH', `/teams/${other.id}`, {
      name: 'Nights',
      members: [joan.id],
      assignment: { mode: 'manual' },
    });
    expect(changed).toMatchObject({ name: 'Nights', members: [joan.id], assignment: { mode: 'manual' } });
    await joan.is('live');
    const id = await customerWrites();
    await ok('POST', `/conversations/${id}/assign`, { assignee_id: other.id });
    expect(await read(id)).toMatchObject({ team_id: other.id, assignee_id: null });
    expect((await gateway.call('DELETE', `/api/v1/teams/${other.id}`)).status).toBe(204);
    expect(await read(id)).toMatchObject({ team_id: null, assignee_id: null });
    const refused = await gateway.call('POST', `/api/v1/conversations/${id}/assign`, {
      assignee_id: other.id,
    });
    expect(refused.status).toBe(422);
    const { data } = await ok<{ data: { id: string }[] }>('GET', '/teams');
    expect(data.map((one) => one.id)).toEqual([team]);
  });

  it('keeps nothing that was being given to it while it was dissolved', async () => {
    const other = await ok<{ id: string }>('POST', '/teams', { name: 'Short-lived' });
    const id = await customerWrites();
    let removal: Promise<{ status: number }> | undefined;
    await gateway.pool.begin(async (tx) => {
      await tx`select 1 from teams where id = ${other.id} for no key update`;
      await tx`update conversations set team_id = ${other.id} where id = ${id}`;
      removal = gateway.call('DELETE', `/api/v1/teams/${other.id}`);
      await eventually(async () => {
        const waiting = await gateway.pool`
          select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
        expect(waiting).toHaveLength(1);
      });
    });
    expect((await removal)?.status).toBe(204);
    expect((await gateway.call('DELETE', `/api/v1/teams/${other.id}`)).status).toBe(404);
    expect(await read(id)).toMatchObject({ team_id: null });
  });
});
