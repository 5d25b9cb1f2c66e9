import { setTimeout as sleep } from 'node:timers/promises';
import type { Child } from './child.ts';
import { type Lab, type Subject, withGateway } from './lab.ts';
import { pacedDelays } from './measure.ts';
import type { Measured } from './rows.ts';
import { median, type Spread } from './stats.ts';

const RULES = 100;
const MATCHING = 5;
// As many senders as no rule's share of the messages falls on a few of them: a rule runs so often an hour in a conversation.
const PACE = { perSecond: 300, senders: 997, connections: 16, seconds: 6 };
const ROUNDS = 5;

/** Which rules are on: none; a hundred that never match; the same, of which five match one message in a hundred each. */
const STATES = { without: 0, idle: RULES - MATCHING, matching: RULES } as const;
type State = keyof typeof STATES;

/** What a hundred rules cost those who write and those who listen, and how far behind what happens the rules run. */
export function measureAutomation(lab: Lab, load: Child): Promise<Measured> {
  return lab.withDatabase((databaseUrl) =>
    withGateway(databaseUrl, async (subject) => {
      await load.ask('listen', {
        url: subject.url,
        auth: { business_id: subject.businessId, token: subject.apiKey },
      });
      await makeRules(subject);
      const rounds: Record<State, Round>[] = [];
      for (let n = 0; n < ROUNDS; n += 1) rounds.push(await measureRound(subject, load, n));
      await load.ask('quiet');
      await expectRuns(subject);
      return figuresOf(rounds);
    }),
  );
}

/** One in a hundred messages has such a number; what the others look for stands in none. */
async function makeRules({ call }: Subject): Promise<void> {
  for (let n = 0; n < RULES; n += 1) {
    const matches = n >= RULES - MATCHING;
    const value = matches ? `${RULES - n}7,` : `word ${n} that nobody writes`;
    await call('POST', '/automation-rules', {
      name: `Rule ${n}`,
      trigger: 'message.received',
      conditions: [
        { field: 'conversation.channel_type', operator: 'equals', value: 'telegram' },
        { field: 'message.content', operator: 'contains', value },
      ],
      actions: [
        { type: 'addTag', tag: `tag ${n}` },
        { type: 'reply', message: 'Hi {{visitor.name | there}}, thank you for your patience.' },
      ],
    });
  }
}

interface Round extends Spread {
  /** From a request to its answer. */
  doorP50: number;
  doorP99: number;
  behindMs: number;
}

async function measureRound(subject: Subject, load: Child, round: number): Promise<Record<State, Round>> {
  const measured: Partial<Record<State, Round>> = {};
  // Turned around each time, for a machine's mood changes with the minutes.
  const states = Object.keys(STATES) as State[];
  if (round % 2 === 1) states.reverse();
  for (const [n, state] of states.entries()) {
    await switchRules(subject, STATES[state]);
    const from = (round * states.length + n) * 100_000;
    const { p50, p99, answered } = await pacedDelays(load, subject, { ...PACE, from });
    measured[state] = {
      p50,
      p99,
      doorP50: answered.p50,
      doorP99: answered.p99,
      behindMs: await caughtUp(subject),
    };
  }
  return measured as Record<State, Round>;
}

async function switchRules({ sql, businessId }: Subject, count: number): Promise<void> {
  await sql`
    update automation_rules set is_active = id in (select id from automation_rules order by id limit ${count}),
      active_since = clock_timestamp(), updated_at = clock_timestamp()
    where business_id = ${businessId}`;
  // A reader that had nothing to do looks again within a second.
  await sleep(1_500);
}

/** How long after the last message all of them are judged, and what matched is done. */
async function caughtUp({ sql }: Subject): Promise<number> {
  const begunAt = performance.now();
  for (;;) {
    const [row] = await sql<[{ behind: boolean }]>`
      select exists (select 1 from outbox) or (select max(seq) from events) >
        (select seq from readers where name = 'automation') as behind`;
    if (!row.behind) return performance.now() - begunAt;
    await sleep(10);
  }
}

async function expectRuns({ sql }: Subject): Promise<void> {
  const rows = await sql<{ outcome: string; n: number }[]>`
    select outcome, count(*)::int as n from automation_runs group by outcome`;
  console.log(`    runs: ${rows.map(({ outcome, n }) => `${n} ${outcome}`).join(', ')}`);
  if (rows.some(({ outcome }) => outcome === 'failed') || rows.length === 0) throw new Error('rules failed');
}

const FIGURES = {
  p50: 'to the socket, p50',
  p99: 'to the socket, p99',
  doorP50: 'answer of the door, p50',
  doorP99: 'answer of the door, p99',
} as const;

/** Each state over none, in the same round. */
function figuresOf(rounds: Record<State, Round>[]): Measured {
  const figures: Measured = {};
  for (const state of ['idle', 'matching'] as const) {
    for (const key of ['p50', 'p99', 'doorP50', 'doorP99'] as const)
      figures[`${state}: ${FIGURES[key]}`] = median(
        rounds.map((round) => round[state][key] / round.without[key]),
      );
  }
  return { ...figures, 'rules: behind': Math.max(...rounds.map(({ matching }) => matching.behindMs)) };
}
