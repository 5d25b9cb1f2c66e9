import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';
import { type Answered, type Described, describedBy } from '../support/described.ts';

let api: TestApi;
let isAsDescribed: Described;
let answered: Answered;

beforeAll(async () => {
  api = await startApi();
  isAsDescribed = await describedBy(async () => (await api.call('GET', '/openapi.json')).body);
  const { key } = await api.business();
  const { status, headers, body } = await api.call('GET', '/api/v1/business', { key });
  answered = {
    method: 'GET',
    path: '/api/v1/business',
    status,
    contentType: headers.get('content-type'),
    body,
  };
});
afterAll(() => api.stop());

describe('the check that every answer of the tests passes', () => {
  it('takes an answer that is as described', () => {
    expect(() => isAsDescribed(answered)).not.toThrow();
  });

  it('refuses a field that is not described, that is missing, and that is of another type', () => {
    const { name, ...rest } = answered.body as Record<string, unknown>;
    for (const body of [{ name, ...rest, surprise: 1 }, rest, { ...rest, name: 7 }])
      expect(() => isAsDescribed({ ...answered, body })).toThrow(
        'GET /api/v1/business 200 is not as described',
      );
  });

  it('refuses a status that is not described', () => {
    expect(() => isAsDescribed({ ...answered, status: 418 })).toThrow(
      'does not name GET /api/v1/business 418',
    );
  });

  it('knows the route whatever id stands in its path', () => {
    const path = '/api/v1/conversations/01a1fce4?messages=1';
    expect(() => isAsDescribed({ ...answered, path })).toThrow('GET /api/v1/conversations/{id} 200');
  });
});
