import type { Figure, Row } from './results.ts';
import { median } from './stats.ts';

/** What every measurement of a run yields: figures by name. */
export type Measured = Record<string, number>;

interface RowPlan {
  what: string;
  unit: string;
  ours: string[];
  floors?: string[];
  must: string;
  dream: string;
  /** The first figure over the first floor must be at least this. */
  leastRatio?: number;
  /** Each of our figures must be at most this. */
  most?: number[];
}

const ROWS: RowPlan[] = [
  {
    what: 'Signed Telegram door, fully ingested and committed: 20,000 messages of 1,000 senders, 64 connections',
    unit: 'requests/s',
    ours: ['door'],
    floors: ['door: one insert per request', 'door: bare handler'],
    must: '1.0 × one insert per request',
    dream: 'the bare handler',
    leastRatio: 1,
  },
  {
    what: 'Signed Twilio door, the same messages as forms',
    unit: 'requests/s',
    ours: ['twilio door'],
    floors: ['door: one insert per request', 'door: bare handler'],
    must: '1.0 × one insert per request',
    dream: 'the bare handler',
    leastRatio: 1,
  },
  {
    what: 'Signed Meta door (WhatsApp), the same',
    unit: 'requests/s',
    ours: ['meta door'],
    floors: ['door: one insert per request', 'door: bare handler'],
    must: '1.0 × one insert per request',
    dream: 'the bare handler',
    leastRatio: 1,
  },
  {
    what: 'Mail by SMTP, to the commit: 4,000 mails of 400 senders, 32 connections',
    unit: 'mails/s',
    ours: ['mails by SMTP'],
    floors: ['smtp-server alone'],
    must: '–',
    dream: 'smtp-server alone, which stores nothing',
  },
  {
    what: 'Memory at most while 12 mails of 25 MB come at once, all roles, without Postgres',
    unit: 'MB',
    ours: ['memory with large mails'],
    must: '1,024 MB',
    dream: '512 MB',
    most: [1_024],
  },
  {
    what: 'Inbound → socket event, at 300/s',
    unit: 'ms',
    ours: ['socket p50', 'socket p99'],
    must: 'p50 5 ms, p99 25 ms',
    dream: 'p99 10 ms',
    most: [5, 25],
  },
  {
    what: 'Inbound → webhook received, at 300/s',
    unit: 'ms',
    ours: ['webhook p50', 'webhook p99'],
    must: 'p50 15 ms, p99 60 ms',
    dream: 'p50 5 ms',
    most: [15, 60],
  },
  {
    what: 'Deliveries to one endpoint, 10 at a time',
    unit: 'deliveries/s',
    ours: ['deliveries'],
    floors: ['deliveries: undici, insert before and update after', 'deliveries: bare undici'],
    must: '1.0 × with insert and update',
    dream: '2 ×',
    leastRatio: 1,
  },
  {
    what: 'Deliveries to 100 endpoints',
    unit: 'deliveries/s',
    ours: ['deliveries to 100'],
    floors: ['deliveries: undici, insert before and update after'],
    must: '1.0 × with insert and update',
    dream: '2 ×',
    leastRatio: 1,
  },
  {
    what: 'Inbound → webhook received, at 300/s, jobs on Redis',
    unit: 'ms',
    ours: ['webhook p50 on Redis', 'webhook p99 on Redis'],
    must: 'p50 15 ms, p99 60 ms',
    dream: 'p50 5 ms',
    most: [15, 60],
  },
  {
    what: 'Deliveries to one endpoint, jobs on Redis',
    unit: 'deliveries/s',
    ours: ['deliveries on Redis'],
    floors: ['deliveries: undici, insert before and update after'],
    must: '1.0 × with insert and update',
    dream: '2 ×',
    leastRatio: 1,
  },
  {
    what: 'Deliveries to 100 endpoints, jobs on Redis',
    unit: 'deliveries/s',
    ours: ['deliveries to 100 on Redis'],
    floors: ['deliveries: undici, insert before and update after'],
    must: '1.0 × with insert and update',
    dream: '2 ×',
    leastRatio: 1,
  },
  {
    what: "98 healthy endpoints' inbound → webhook received at 100/s for 60 s, beside one that never answers and one that takes a second, over the same without those",
    unit: '×',
    ours: ['isolation ratio'],
    must: 'p99 1.5 ×',
    dream: '1.0 ×',
    most: [1.5],
  },
  {
    what: 'Memory with 100,000 deliveries due to 100 slow endpoints, all roles, without Postgres',
    unit: 'MB',
    ours: ['memory with much due'],
    must: '512 MB',
    dream: '300 MB',
    most: [512],
  },
  {
    what: 'Files of customers, from the door to "ready": 1,000 of 100 kB',
    unit: 'files/s',
    ours: ['attachments'],
    floors: ['attachments: undici to a file, insert before and update after'],
    must: '0.25 × with insert and update',
    dream: '0.5 ×',
    leastRatio: 0.25,
  },
  {
    what: 'Memory more while a file of 100 MB comes in and goes out',
    unit: 'MB',
    ours: ['memory while streaming'],
    must: '128 MB',
    dream: '32 MB',
    most: [128],
  },
  {
    what: "Agents' replies by API, accepted and committed, 64 connections",
    unit: 'replies/s',
    ours: ['replies'],
    floors: ['door: one insert per request'],
    must: '–',
    dream: '1.0 × one insert per request',
  },
  {
    what: "Agents' replies by API, sent by a provider that answers at once and noted as sent",
    unit: 'replies/s',
    ours: ['replies by a provider'],
    must: '–',
    dream: '1,000',
  },
  {
    what: 'Lists of an inbox (24, each filter and sort): p95 with 1,000,000 messages over the same with 10,000',
    unit: '×',
    ours: ['lists: the slowest', 'lists: the middle one'],
    must: '1.5 ×',
    dream: '1.1 ×',
    most: [1.5],
  },
  {
    what: 'Search among 1,000,000 messages: p95 of the answer',
    unit: 'ms',
    ours: [
      'search: a word in 5 %',
      'search: a rare word',
      'search: a pair of words',
      'search: three letters inside of words',
      'search: a word in 5 %, of open conversations',
    ],
    must: '300 ms, whole or "partial"',
    dream: '50 ms',
    most: [300, 300, 300, 300, 300],
  },
  {
    what: 'Analytics of 90 days, 123,000 of 1,000,000 messages: p95 of the answer',
    unit: 'ms',
    ours: [
      'report: overview',
      'report: in a few numbers',
      "report: in the support dialect's numbers",
      'report: per agent',
      'report: per tag',
      'report: per day, working hours, of a zone',
    ],
    must: '300 ms',
    dream: '50 ms',
    most: [300, 300, 300, 300, 300, 300],
  },
  {
    what: 'With 100 automation rules that match nothing, at 300/s, over the same without: inbound → socket, and the answer of the door',
    unit: '×',
    ours: [
      'idle: to the socket, p50',
      'idle: to the socket, p99',
      'idle: answer of the door, p50',
      'idle: answer of the door, p99',
    ],
    must: 'p50 1.1 ×, p99 1.25 ×',
    dream: '1.0 ×',
    most: [1.1, 1.25, 1.1, 1.25],
  },
  {
    what: 'The same, while one message in 20 is tagged and answered by a rule',
    unit: '×',
    ours: [
      'matching: to the socket, p50',
      'matching: to the socket, p99',
      'matching: answer of the door, p50',
      'matching: answer of the door, p99',
    ],
    must: '–',
    dream: '1.1 ×',
  },
  {
    what: 'How long after the last of those messages all rules have run',
    unit: 'ms',
    ours: ['rules: behind'],
    must: '1 s',
    dream: '100 ms',
    most: [1_000],
  },
  {
    what: 'Idle memory, all roles, without Postgres',
    unit: 'MB',
    ours: ['idle memory'],
    must: '200 MB',
    dream: '120 MB',
    most: [200],
  },
  {
    what: 'Start to ready: first start with a new database, and a later one',
    unit: 'ms',
    ours: ['first start', 'later start'],
    must: '5 s',
    dream: '–',
    most: [5_000, 5_000],
  },
];

/** The rows of the table, from the figures of all runs. */
export function toRows(runs: Measured[]): Row[] {
  // Where there is no Redis, nothing is said of it.
  const measured = ROWS.filter(({ ours: [first = ''] }) => runs.some((run) => first in run));
  return measured.map((plan) => {
    const ours = plan.ours.map((name) => figure(runs, name, plan.unit));
    const floors = (plan.floors ?? []).map((name) => figure(runs, name, plan.unit));
    const ratio = ratioOf(runs, plan);
    const { what, must, dream } = plan;
    return {
      what,
      ours,
      floors,
      ...(ratio === undefined ? {} : { ratio }),
      must,
      dream,
      isMet: isMet(plan, ours, ratio),
    };
  });
}

function figure(runs: Measured[], name: string, unit: string): Figure {
  const values = runs.map((run) => round(run[name] ?? Number.NaN));
  return { name, unit, runs: values, median: median(values) };
}

// Each run's own, for a machine's mood lasts about as long as a run.
function ratioOf(runs: Measured[], { ours, floors }: RowPlan): number | undefined {
  const [mine, floor] = [ours[0], floors?.[0]];
  if (mine === undefined || floor === undefined) return undefined;
  return round(median(runs.map((run) => (run[mine] ?? Number.NaN) / (run[floor] ?? Number.NaN))));
}

function isMet({ leastRatio, most }: RowPlan, ours: Figure[], ratio: number | undefined): boolean {
  const isFastEnough = leastRatio === undefined || (ratio ?? 0) >= leastRatio;
  return (
    isFastEnough && (most ?? []).every((limit, n) => (ours[n]?.median ?? Number.POSITIVE_INFINITY) <= limit)
  );
}

function round(value: number): number {
  return value >= 100 ? Math.round(value) : Math.round(value * 100) / 100;
}
