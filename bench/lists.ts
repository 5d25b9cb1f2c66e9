import { type History, makeHistory } from './history.ts';
import { type Lab, type Subject, withGateway } from './lab.ts';
import type { Measured } from './rows.ts';
import { median, percentile } from './stats.ts';

const ASKED = 100;
const WARM_UP = 20;
const FEW = 10_000;
/** `BENCH_MESSAGES=10000000` asks for ten million. */
const MANY = Number(process.env['BENCH_MESSAGES'] ?? 1_000_000);

/** The lists that an inbox asks for, each with the filter or sort that makes it a query of its own. */
const LISTS: Record<string, (past: History) => string> = {
  'newest activity': () => '/conversations',
  open: () => '/conversations?status=open',
  closed: () => '/conversations?status=closed',
  'of one agent': ({ agentId }) => `/conversations?assignee_id=${agentId}`,
  'of nobody': () => '/conversations?assignee_id=none',
  'of a busy channel': () => '/conversations?channel_type=telegram',
  'of a quiet channel': ({ rareChannelId }) => `/conversations?channel_id=${rareChannelId}`,
  'of one customer': ({ customerId }) => `/conversations?customer_id=${customerId}`,
  'with a frequent tag': () => '/conversations?tag=frequent',
  'with a rare tag': () => '/conversations?tag=rare',
  'waiting for a person': () => '/conversations?needs_human_handoff=true',
  'updated since yesterday': () =>
    `/conversations?updated_since=${new Date(Date.now() - 86_400_000).toISOString()}`,
  'oldest activity': () => '/conversations?sort=last_message_at',
  'newest first': () => '/conversations?sort=-created_at',
  'oldest first': () => '/conversations?sort=created_at',
  'last changed': () => '/conversations?sort=-updated_at',
  'by a name': () => '/conversations?q=customer77%40example.com',
  'one conversation': ({ conversationId }) => `/conversations/${conversationId}`,
  'messages of one': ({ conversationId }) => `/conversations/${conversationId}/messages?limit=5`,
  customers: () => '/customers',
  'customers by email': () => '/customers?email=customer77%40example.com',
};

/** How much slower the 95th of a hundred requests is with a long past than with a short one: of the list that suffers most. */
export async function measureLists(lab: Lab): Promise<Measured> {
  const short = await measureWith(lab, FEW);
  const long = await measureWith(lab, MANY);
  const ratios = Object.keys(LISTS).map((name) => (long[name] ?? Number.NaN) / (short[name] ?? Number.NaN));
  for (const [n, name] of Object.keys(LISTS).entries())
    console.log(
      `    ${name}: ${short[name]?.toFixed(1)} ms, ${long[name]?.toFixed(1)} ms, ${ratios[n]?.toFixed(2)} ×`,
    );
  return { 'lists: the slowest': Math.max(...ratios), 'lists: the middle one': median(ratios) };
}

function measureWith(lab: Lab, messages: number): Promise<Measured> {
  return lab.withDatabase((url) =>
    withGateway(url, async (subject) => {
      const past = await makeHistory(subject, messages);
      const figures: Measured = {};
      for (const [name, pathOf] of Object.entries(LISTS)) figures[name] = await p95(subject, pathOf(past));
      return figures;
    }),
  );
}

async function p95({ url, call }: Subject, path: string): Promise<number> {
  const times: number[] = [];
  // A key of its own, for each may ask only so often a minute.
  const { key } = await call<{ key: string }>('POST', '/api-keys', { name: 'lists', role: 'agent' });
  for (let n = 0; n < WARM_UP + ASKED; n += 1) {
    const begun = performance.now();
    const answer = await fetch(`${url}/api/v1${path}`, { headers: { authorization: `Bearer ${key}` } });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    if (n >= WARM_UP) times.push(performance.now() - begun);
  }
  return percentile(times, 0.95);
}
