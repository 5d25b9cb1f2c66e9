import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { connect } from '../../../src/core/database/connect.ts';
import { refuseTransactionPooling, refuseWithoutTemporary } from '../../../src/core/database/session.ts';
import { createTestDatabase, databaseUrl } from '../../support/database.ts';

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

/** Stands in for a pooler: speaks as much of the protocol as a client needs to connect and ask one thing. */
async function fakePooler(onConnect: (socket: Socket) => void): Promise<string> {
  const server = createServer(onConnect).listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `postgres://user:pass@127.0.0.1:${(server.address() as AddressInfo).port}/db`;
}

function frame(type: string, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type);
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const int16 = (value: number) => Buffer.from([value >> 8, value & 255]);
const int32 = (value: number) => Buffer.concat([int16(value >> 16), int16(value & 65_535)]);
const text = (value: string) => Buffer.from(`${value}\0`);
const column = Buffer.concat([text('pid'), int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)]);

const AUTHENTICATED = Buffer.concat([frame('R', int32(0)), frame('Z', Buffer.from('I'))]);

/** What one session of the server behind the pooler answers to any statement at all. */
function answerFrom(pid: string, isParsed: boolean): Buffer {
  const described = [...(isParsed ? [frame('1'), frame('t', int16(0))] : []), frame('T', int16(1), column)];
  const row = frame('D', int16(1), int32(pid.length), Buffer.from(pid));
  const bound = isParsed ? [frame('2')] : [];
  return Buffer.concat([
    ...described,
    ...bound,
    row,
    frame('C', text('SELECT 1')),
    frame('Z', Buffer.from('T')),
  ]);
}

describe('a database address', () => {
  it('may lead straight to Postgres', async () => {
    await expect(refuseTransactionPooling(databaseUrl('postgres'))).resolves.toBeUndefined();
  });

  it('is refused where two clients get the same session', async () => {
    const url = await fakePooler((socket) => {
      socket.once('data', () => {
        socket.write(AUTHENTICATED);
        socket.on('data', (data) => socket.write(answerFrom('4711', data[0] !== 'Q'.charCodeAt(0))));
      });
    });
    await expect(refuseTransactionPooling(url)).rejects.toThrow('pooler that keeps no sessions');
  });

  it('is refused where the settings of a session are', async () => {
    const refusal = frame(
      'E',
      text('SFATAL'),
      text('C08P01'),
      text('Munsupported startup parameter: x'),
      Buffer.from([0]),
    );
    const url = await fakePooler((socket) => socket.once('data', () => socket.end(refusal)));
    await expect(refuseTransactionPooling(url)).rejects.toThrow('pooler that keeps no sessions');
  });
});

describe('a session', () => {
  it('writes times and bytes one way, however the server writes them', async () => {
    const database = await createTestDatabase({ migrated: false });
    await database.pool.unsafe(`do $$ begin
      execute format('alter database %I set datestyle to ''German, DMY''', current_database());
      execute format('alter database %I set timezone to ''Asia/Tokyo''', current_database());
      execute format('alter database %I set bytea_output to ''escape''', current_database()); end $$`);
    const pool = connect(database.url, { max: 1 });
    const [row] = await pool`
      select '2026-03-04T20:05:06Z'::timestamptz as at, '2026-03-04T20:05:06Z'::timestamptz::text as text,
        '\\x5c00'::bytea as bytes`;
    await pool.end();
    await database.drop();
    expect(row).toEqual({
      at: new Date('2026-03-04T20:05:06Z'),
      text: '2026-03-04 20:05:06+00',
      bytes: Buffer.from([0x5c, 0]),
    });
  });
});

describe('a role', () => {
  it('that may make no temporary tables is refused, with the statement that lets it', async () => {
    const database = await createTestDatabase({ migrated: false });
    const role = `plain_${randomBytes(6).toString('hex')}`;
    const name = new URL(database.url).pathname.slice(1);
    await database.pool.unsafe(`create role ${role} login password 'plain';
      revoke temporary on database ${name} from public`);
    const url = new URL(database.url);
    [url.username, url.password] = [role, 'plain'];
    const pool = connect(url.href, { max: 1 });
    await expect(refuseWithoutTemporary(pool)).rejects.toThrow(
      `grant temporary on database ${name} to ${role};`,
    );
    await database.pool.unsafe(`grant temporary on database ${name} to ${role}`);
    await expect(refuseWithoutTemporary(pool)).resolves.toBeUndefined();
    await pool.end();
    await database.pool.unsafe(`revoke all on database ${name} from ${role}; drop role ${role}`);
    await database.drop();
  });
});
