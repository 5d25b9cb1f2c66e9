import { connect, type Sql } from './connect.ts';

/**
 * Fails when the URL leads to a pooler that hands one session to several clients: listening, session locks and
 * prepared statements would silently break.
 */
export async function refuseTransactionPooling(url: string): Promise<void> {
  const [first, second] = [connect(url, { max: 1 }), connect(url, { max: 1 })];
  try {
    const before = await backendPid(first);
    const shared = await second.begin(async (tx) => {
      const other = await backendPid(tx);
      // While this transaction holds its session, a pooler must give the first client another one.
      return other === before || (await backendPid(first)) !== before;
    });
    if (shared) throw new Error(POOLED);
  } catch (error) {
    throw refusedSettings(error) ? new Error(POOLED, { cause: error }) : error;
  } finally {
    await Promise.all([first.end({ timeout: 1 }), second.end({ timeout: 1 })]);
  }
}

const OLDEST_MAJOR = 15;

/** What is older was never tried, and would fail one day at what it lacks. */
export async function refuseOldPostgres(sql: Sql): Promise<void> {
  const [row] = await sql<{ version: string; number: number }[]>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number`;
  if (row !== undefined && row.number < OLDEST_MAJOR * 10_000)
    throw new Error(`DATABASE_URL is a Postgres ${row.version}: it must be ${OLDEST_MAJOR} or newer.`);
}

/** Large mails, retention and bursts of jobs go through temporary tables: without the right to them they would fail one day. */
export async function refuseWithoutTemporary(sql: Sql): Promise<void> {
  const [row] = await sql<{ may: boolean; statement: string }[]>`
    select has_database_privilege(current_database(), 'temporary') as may,
      format('grant temporary on database %I to %I;', current_database(), current_user) as statement`;
  if (row?.may === false)
    throw new Error(
      `The role of DATABASE_URL may make no temporary tables. Run as the owner: ${row.statement}`,
    );
}

const POOLED =
  'DATABASE_URL leads through a pooler that keeps no sessions: connect to Postgres directly, or pool in session mode.';

async function backendPid(sql: Sql): Promise<number> {
  const [row] = await sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
  return row?.pid ?? 0;
}

// PgBouncer refuses settings of a session when a client connects.
function refusedSettings(error: unknown): boolean {
  return error instanceof Error && error.message.includes('unsupported startup parameter');
}
