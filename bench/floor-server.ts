// What the signed door is held against: the same framework and database, doing as little as can be called storing.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createAdaptorServer } from '@hono/node-server';
import { Hono } from 'hono';
import { v7 } from 'uuid';
import { connect } from '../src/core/database/connect.ts';
import { serveJobs } from './child.ts';

serveJobs({ start });

async function start({ databaseUrl }: { databaseUrl: string }): Promise<string> {
  const sql = connect(databaseUrl, { max: 16 });
  await sql`create table if not exists received (id uuid primary key, received_at timestamptz not null default now(), body jsonb not null)`;
  const app = new Hono();
  app.get('/health/live', (c) => c.text('ok'));
  app.post('/bare', async (c) => {
    await c.req.json();
    return c.json({ ok: true });
  });
  app.post('/insert', async (c) => {
    const body = await c.req.json();
    await sql`insert into received (id, body) values (${v7()}, ${sql.json(body)})`;
    return c.json({ ok: true });
  });
  const server = createAdaptorServer({ fetch: app.fetch });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
