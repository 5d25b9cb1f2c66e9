import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newId } from '../../src/core/id.ts';
import { checkSecretKey, createSecrets, type Scope } from '../../src/core/secrets.ts';
import { createTestDatabase, type TestDatabase } from '../support/database.ts';
import { eventually, startTestGateway } from '../support/gateway.ts';

const OLD = 'the key that was used before';
const NEW = 'the key that is used from now on';
const scope: Scope = { businessId: newId(), rowId: newId(), field: 'secrets' };

describe('a ciphertext', () => {
  const secrets = createSecrets([NEW]);

  it('opens again, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(secrets.decrypt(secrets.encrypt(text, scope), scope)).toBe(text);
      }),
    );
  });

  it('never looks the same twice', () => {
    expect(secrets.encrypt('text', scope)).not.toEqual(secrets.encrypt('text', scope));
  });

  it.each([
    ['business', { businessId: newId() }],
    ['row', { rowId: newId() }],
    ['field', { field: 'other' }],
  ])('does not open for another %s', (_, other) => {
    expect(() => secrets.decrypt(secrets.encrypt('text', scope), { ...scope, ...other })).toThrow();
  });

  it('does not open once a single byte of it was changed', () => {
    const sealed = secrets.encrypt('text', scope);
    for (let at = 0; at < sealed.length; at++) {
      const forged = Buffer.from(sealed);
      forged.writeUInt8(forged.readUInt8(at) ^ 1, at);
      expect(() => secrets.decrypt(forged, scope)).toThrow();
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(() => secrets.decrypt(sealed.subarray(0, length), scope)).toThrow();
    }
  });

  it('of the old key opens while that key is still listed, and is written with the new one', () => {
    const sealed = createSecrets([OLD]).encrypt('text', scope);
    const both = createSecrets([NEW, OLD]);
    expect(both.decrypt(sealed, scope)).toBe('text');
    expect(both.isCurrent(sealed)).toBe(false);
    expect(both.isCurrent(both.encrypt('text', scope))).toBe(true);
    expect(() => secrets.decrypt(sealed, scope)).toThrow('not in SECRET_KEY');
  });
});

describe('a signature', () => {
  const secrets = createSecrets([NEW]);

  it('is worth nothing for another purpose, text or key', () => {
    const signature = secrets.sign('file', 'text');
    expect(secrets.verify('file', 'text', signature)).toBe(true);
    expect(secrets.verify('visitor', 'text', signature)).toBe(false);
    expect(secrets.verify('file', 'other', signature)).toBe(false);
    expect(secrets.verify('file', 'text', '')).toBe(false);
    expect(createSecrets([OLD]).verify('file', 'text', signature)).toBe(false);
  });

  it('of the old key holds while that key is still listed', () => {
    const token = createSecrets([OLD]).seal('visitor', 'text');
    expect(createSecrets([NEW, OLD]).open('visitor', token)).toBe('text');
    expect(secrets.open('visitor', token)).toBeUndefined();
  });

  it('seals any text into a token for URLs', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), (text) => {
        const token = secrets.seal('cursor', text);
        expect(token).toMatch(/^[\w-]*\.[\w-]+$/);
        expect(secrets.open('cursor', token)).toBe(text);
        expect(secrets.open('reply', token)).toBeUndefined();
      }),
    );
  });

  it.each(['', '.', 'text', 'dGV4dA', 'dGV4dA.', 'dGV4dA.AAAA', 'a.b.c'])(
    'refuses the token "%s"',
    (token) => {
      expect(secrets.open('cursor', token)).toBeUndefined();
    },
  );
});

describe('the key of a database', () => {
  let database: TestDatabase;
  beforeAll(async () => {
    database = await createTestDatabase();
  });
  afterAll(() => database.drop());

  it('is remembered, rotated, and any other refused', async () => {
    const check = (...keys: string[]) => checkSecretKey(database.pool, createSecrets(keys));
    await check(OLD);
    await check(OLD);
    await expect(check(NEW)).rejects.toThrow(
      'SECRET_KEY is not the key that this database was written with.',
    );
    await check(NEW, OLD);
    await check(NEW);
    await expect(check(OLD)).rejects.toThrow('SECRET_KEY is not the key');
  });

  it('is rotated in every stored secret by a gateway with both, so that the old one can go', async () => {
    const { pool } = database;
    const [businessId, channelId, endpointId, secretId] = [newId(), newId(), newId(), newId()];
    const old = createSecrets([OLD]);
    const sealed = old.encrypt('bot token', { businessId, rowId: channelId, field: 'secrets' });
    const signing = old.encrypt('whsec', { businessId, rowId: secretId, field: 'endpoint_secret' });
    await pool`insert into businesses (id, name) values (${businessId}, 'One')`;
    await pool`insert into channels (id, business_id, type, name, config, secrets)
      values (${channelId}, ${businessId}, 'telegram', 'Bot', '{}', ${sealed})`;
    await pool`insert into webhook_endpoints (id, business_id, url, events)
      values (${endpointId}, ${businessId}, 'https://example.com', '{*}')`;
    await pool`insert into endpoint_secrets (id, endpoint_id, kind, secret)
      values (${secretId}, ${endpointId}, 'v1', ${signing})`;

    const gateway = await startTestGateway({ database_: database, secretKeys: [NEW, OLD] });
    const stale = () => pool`
      select 1 from channels where id = ${channelId} and secrets = ${sealed}
      union all select 1 from endpoint_secrets where id = ${secretId} and secret = ${signing}`;
    await eventually(async () => expect(await stale()).toEqual([]));
    await gateway.stop();

    const [channel] = await pool<[{ secrets: Buffer }]>`select secrets from channels where id = ${channelId}`;
    const [endpoint] = await pool<
      [{ secret: Buffer }]
    >`select secret from endpoint_secrets where id = ${secretId}`;
    const now = createSecrets([NEW]);
    expect(now.decrypt(channel.secrets, { businessId, rowId: channelId, field: 'secrets' })).toBe(
      'bot token',
    );
    expect(now.decrypt(endpoint.secret, { businessId, rowId: secretId, field: 'endpoint_secret' })).toBe(
      'whsec',
    );
  });
});
