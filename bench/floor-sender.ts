// What deliveries are held against: the same bodies posted by undici, kept by one insert before and one update after.
import { Pool } from 'undici';
import { v7 } from 'uuid';
import { connect } from '../src/core/database/connect.ts';
import { serveJobs } from './child.ts';

interface Sending {
  url: string;
  bodies: string[];
  concurrency: number;
  databaseUrl: string;
}

serveJobs({ bare, stored });

function bare(sending: Sending): Promise<number> {
  return send(sending, (post) => post());
}

async function stored(sending: Sending): Promise<number> {
  const sql = connect(sending.databaseUrl, { max: 16 });
  await sql`create table if not exists sent (id uuid primary key, started_at timestamptz not null default now(), body text not null, status integer, finished_at timestamptz)`;
  const ms = await send(sending, async (post, body) => {
    const id = v7();
    await sql`insert into sent (id, body) values (${id}, ${body})`;
    const status = await post();
    await sql`update sent set status = ${status}, finished_at = now() where id = ${id}`;
    return status;
  });
  await sql.end();
  return ms;
}

type Once = (post: () => Promise<number>, body: string) => Promise<number>;

/** Milliseconds for all of them, so many under way at once. */
async function send({ url, bodies, concurrency }: Sending, once: Once): Promise<number> {
  const { origin, pathname: path } = new URL(url);
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 });
  const headers = { 'content-type': 'application/json' };
  let next = 0;
  const begunAt = performance.now();
  const worker = async () => {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const content = body;
      await once(async () => {
        const answer = await pool.request({ path, method: 'POST', headers, body: content });
        await answer.body.dump();
        return answer.statusCode;
      }, content);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const ms = performance.now() - begunAt;
  await pool.close();
  return ms;
}
