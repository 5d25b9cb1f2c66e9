import { randomBytes } from 'node:crypto';
import { inject } from 'vitest';
import { connect, type Pool } from '../../src/core/database/connect.ts';

export interface TestDatabase {
  url: string;
  pool: Pool;
  drop(): Promise<void>;
}

/** A migrated database of the test file's own, with the partitions of yesterday to the day after tomorrow. */
export async function createTestDatabase(
  options: { migrated?: boolean; max?: number } = {},
): Promise<TestDatabase> {
  const name = `test_${randomBytes(6).toString('hex')}`;
  const template = options.migrated === false ? 'template1' : inject('templateDatabase');
  await asAdmin(
    (admin) => admin`create database ${admin(name)} template ${admin(template)} strategy file_copy`,
  );
  const url = databaseUrl(name);
  const pool = connect(url, { max: options.max ?? 10 });
  return { url, pool, drop: () => drop(name, pool) };
}

/** The URL of a database on the test Postgres. */
export function databaseUrl(name: string): string {
  const url = new URL(inject('postgresUrl'));
  url.pathname = name;
  return url.href;
}

async function drop(name: string, pool: Pool): Promise<void> {
  await pool.end({ timeout: 5 });
  await asAdmin((admin) => admin`drop database if exists ${admin(name)} with (force)`);
}

async function asAdmin(work: (admin: Pool) => Promise<unknown>): Promise<void> {
  const admin = connect(inject('postgresUrl'), { max: 1 });
  try {
    await work(admin);
  } finally {
    await admin.end();
  }
}
