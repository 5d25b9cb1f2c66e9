import { describe, expect, it } from 'vitest';
import { readConfig } from '../../../src/core/config.ts';
import { startFailure } from '../../../src/core/start/start-failure.ts';

const config = readConfig({ PORT: '3000' });
const failure = (code: string, more = {}) =>
  startFailure(Object.assign(new Error(code), { code, ...more }), config);

describe('a start that fails', () => {
  it.each([
    [failure('EADDRINUSE'), 'Port 3000 on 127.0.0.1 is taken: set PORT to a free one.'],
    [failure('EACCES', { syscall: 'listen' }), 'Port 3000 needs more rights: set PORT.'],
    [failure('EADDRNOTAVAIL'), 'HOST 127.0.0.1 is no address of this machine.'],
    [failure('ENOTFOUND', { hostname: '127.0.0.1' }), 'HOST 127.0.0.1 is no address of this machine.'],
    [failure('ENOTFOUND', { hostname: 'db' }), 'The database at DATABASE_URL does not answer (ENOTFOUND).'],
    [failure('ECONNREFUSED'), 'The database at DATABASE_URL does not answer (ECONNREFUSED).'],
    [failure('28P01'), 'The database at DATABASE_URL refuses this user or password.'],
    [failure('OTHER'), 'OTHER'],
  ])('says %s', (said, expected) => {
    expect(said).toBe(expected);
  });
});
