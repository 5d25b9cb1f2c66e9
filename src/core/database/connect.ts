import type postgres from 'postgres';
import { driver } from './driver.ts';

/** The pool, or the transaction it hands out: a function that takes `Sql` runs in either. */
export type Sql = postgres.ISql<{ bigint: number }>;
/** The pool itself, which can begin transactions. */
export type Pool = postgres.Sql<{ bigint: number }>;

export interface ConnectOptions {
  max?: number;
  applicationName?: string;
}

/** Opens a pool. It connects when it is first used. */
export function connect(url: string, options: ConnectOptions = {}): Pool {
  return driver(url, {
    max: options.max ?? 10,
    connect_timeout: 10,
    // By itself it would wait up to 20 s before it looks again: a restart of Postgres takes one.
    backoff: (tries) => Math.min(0.05 * 2 ** tries, 1),
    keep_alive: 30,
    onnotice: () => {},
    types: { bigint: BIGINT },
    connection: {
      application_name: options.applicationName ?? 'tributary',
      // However the server writes times and bytes for others: the driver reads these forms, and our days are UTC's.
      DateStyle: 'ISO, YMD',
      TimeZone: 'UTC',
      bytea_output: 'hex',
      // A query of a process that died ends, and its locks with it.
      client_connection_check_interval: 5_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  });
}

// Sequences and sizes stay far below 2^53, and a number is what JSON needs.
const BIGINT = { to: 20, from: [20], parse: Number, serialize: String };
