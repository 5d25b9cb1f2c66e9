import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi, type TestBusiness } from '../support/api.ts';

interface Schema {
  type?: string;
  enum?: unknown[];
}

interface Operation {
  name: string;
  method: string;
  path: string;
  query: { name: string; schema: Schema }[];
  example: unknown;
}

let api: TestApi;
let business: TestBusiness;
let operations: Operation[];
/** Ids of things that are there, by the word of the path that they follow. */
const ids: Record<string, string> = {};

beforeAll(async () => {
  api = await startApi();
  business = await api.business();
  const document = (await api.call('GET', '/openapi.json')).body;
  operations = Object.entries(document.paths).flatMap(([path, item]) =>
    // biome-ignore lint/suspicious/noExplicitAny: an operation of any shape
    Object.entries(item as Record<string, any>).map(([method, operation]) => ({
      name: `${method.toUpperCase()} ${path}`,
      method: method.toUpperCase(),
      path,
      query: (operation.parameters ?? []).filter((one: { in: string }) => one.in === 'query'),
      example: operation.requestBody?.content?.['application/json']?.example,
    })),
  );
  await makeThings();
});
afterAll(() => api.stop());

async function makeThings(): Promise<void> {
  const make = async (path: string, body: unknown) =>
    (await api.call('POST', `/api/v1${path}`, { key: business.key, body })).body;
  ids['channels'] = (await make('/channels', { type: 'webchat', config: { allowed_origins: [] } })).id;
  ids['customers'] = ids['visitors'] = (
    await make('/customers', { name: 'Ada', email: 'ada@example.com' })
  ).id;
  const conversation = await make('/conversations', {
    business_id: business.id,
    channel_id: ids['channels'],
    initial_message: 'Hello',
  });
  ids['conversations'] = conversation.id;
  ids['messages'] = conversation.messages[0].id;
  const endpoint = { url: 'https://example.com/hooks', events: ['*'] };
  ids['webhook-endpoints'] = (await make('/webhook-endpoints', endpoint)).id;
  ids['teams'] = (await make('/teams', { name: 'Orders' })).id;
}

/** The path with ids of things that are there where there are any, so that a request gets beyond looking them up. */
function addressOf({ path }: Operation): string {
  return path.replaceAll(/([\w-]+)\/\{\w+\}/g, (_, noun) => `${noun}/${ids[noun] ?? business.id}`);
}

const nasty = fc.oneof(
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\ud800',
    '2026-02-30T25:00:00Z',
    '-1',
    '9'.repeat(400),
    '../..',
    '{{x}}',
    "'--",
  ),
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.maxSafeInteger(),
  fc.jsonValue({ maxDepth: 3 }),
);

type Parent = Record<string, unknown>;

/** The example with one of its values replaced, taken away, or with a stranger beside it. */
function mutated(example: unknown): fc.Arbitrary<unknown> {
  const places = placesIn(example);
  if (places.length === 0) return nasty;
  return fc
    .record({
      place: fc.constantFrom(...places),
      value: nasty,
      how: fc.constantFrom('replace', 'remove', 'add'),
    })
    .map(({ place, value, how }) => {
      const copy = structuredClone(example);
      const parent = place.slice(0, -1).reduce((at, key) => at[key] as Parent, copy as Parent);
      const key = place.at(-1) ?? '';
      if (how === 'replace') parent[key] = value;
      else if (how === 'remove') delete parent[key];
      else parent['stranger'] = value;
      return copy;
    });
}

function placesIn(value: unknown, at: string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => [[...at, key], ...placesIn(inner, [...at, key])]);
}

let asked = 0;
let key: string;

/** A new key before the one in use has had its requests of a minute. */
async function currentKey(): Promise<string> {
  if (asked % 900 === 0) key = await api.keyFor(business.id, 'owner');
  asked += 1;
  return key;
}

async function expectAnAnswer(method: string, address: string, body?: unknown): Promise<void> {
  const request = `${method} ${address} ${JSON.stringify(body)}`;
  const { status, body: answer } = await api.call(method, address, {
    key: await currentKey(),
    ...(body !== undefined && { body }),
  });
  expect(status, request).toBeLessThan(500);
  expect(status, request).not.toBe(429);
  if (status !== 422 || answer.error.code.toLowerCase() !== 'validation_error') return;
  const fields = detailsOf(answer).map(({ field }) => field);
  expect(fields, request).not.toEqual([]);
  expect(
    fields.every((field) => typeof field === 'string'),
    request,
  ).toBe(true);
}

/** Both dialects list what is wrong. */
function detailsOf({ error }: { error: { details: unknown } }): { field: unknown }[] {
  return Array.isArray(error.details)
    ? error.details
    : ((error.details as { fields?: never[] }).fields ?? []);
}

/** What they touch is not ours to try, or is tried where its body is not JSON. */
const ELSEWHERE = /^\/(webhooks|metrics|demo|files)/;

describe('whatever a request holds', () => {
  it('a body gets an answer that is no fault of ours, and a refusal names its field', async () => {
    const withBody = operations.filter(({ example, path }) => example !== undefined && !ELSEWHERE.test(path));
    expect(withBody.length).toBeGreaterThan(40);
    for (const operation of withBody) {
      const property = fc.asyncProperty(mutated(operation.example), (body) =>
        expectAnAnswer(operation.method, addressOf(operation), body),
      );
      await fc.assert(property, { numRuns: 12 });
    }
  }, 120_000);

  it('a query gets an answer that is no fault of ours, and a refusal names its field', async () => {
    const withQuery = operations.filter(({ query, path }) => query.length > 0 && !ELSEWHERE.test(path));
    expect(withQuery.length).toBeGreaterThan(15);
    for (const operation of withQuery) {
      const names = fc.constantFrom(...operation.query.map(({ name }) => name));
      const value = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.integer().map(String),
        fc.constantFrom('true', '0', '1', 'none', ids['conversations'] ?? ''),
      );
      const property = fc.asyncProperty(
        fc.array(
          fc.tuple(
            names,
            value.map((text) => text.toWellFormed()),
          ),
          { minLength: 1, maxLength: 4 },
        ),
        (pairs) => expectAnAnswer(operation.method, `${addressOf(operation)}?${new URLSearchParams(pairs)}`),
      );
      await fc.assert(property, { numRuns: 12 });
    }
  }, 120_000);

  it('an id in a path that is none is not found', async () => {
    for (const operation of operations.filter(
      ({ path, method }) => path.includes('{') && method === 'GET' && !ELSEWHERE.test(path),
    )) {
      for (const id of ['x', '%00', '%ed%a0%80', "'; drop table messages", 'a'.repeat(3000)]) {
        const address = operation.path.replaceAll(/\{\w+\}/g, encodeURIComponent(id).replaceAll('%25', '%'));
        const { status } = await api.call('GET', address, { key: await currentKey() });
        expect([400, 404], `${operation.name} ${id}`).toContain(status);
      }
    }
  });
});
