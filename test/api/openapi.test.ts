import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startApi, type TestApi } from '../support/api.ts';

let api: TestApi;
// biome-ignore lint/suspicious/noExplicitAny: a document of any shape
let document: any;

beforeAll(async () => {
  api = await startApi();
  document = (await api.call('GET', '/openapi.json')).body;
});
afterAll(() => api.stop());

interface Operation {
  path: string;
  method: string;
  operationId: string;
  requestBody?: { content?: Record<string, unknown> };
  responses: Record<string, { content?: Record<string, unknown> }>;
  security?: object[];
  parameters?: Parameter[];
  summary?: string;
  tags?: string[];
}

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  schema: { type?: unknown; format?: string; enum?: unknown[]; anyOf?: object[]; pattern?: string };
}

function operations(): Operation[] {
  return Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item as object).map(([method, operation]) => ({ path, method, ...operation })),
  );
}

describe('the OpenAPI document', () => {
  it('is 3.1 and names its security schemes', () => {
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.components.securitySchemes)).toEqual(['bearer', 'apiKey']);
    expect(document.security).toEqual([{ bearer: [] }, { apiKey: [] }]);
  });

  it('describes every route that the app answers', () => {
    const described = new Set(
      operations().map(({ method, path }) => `${method} ${path.replaceAll(/\{(\w+)\}/g, ':$1')}`),
    );
    const mounted = api.app.routes
      .filter(({ method, path }) => method !== 'ALL' && !path.includes('*'))
      .map(({ method, path }) => `${method.toLowerCase()} ${path}`);
    const undescribed = [...new Set(mounted)].filter((route) => !described.has(route));
    expect(undescribed.sort()).toEqual(
      [
        'get /',
        'get /docs',
        'get /docs/:file',
        'get /demo/:name?',
        'get /csat/:token',
        'post /csat/:token',
        'get /files/:token',
        'get /openapi.json',
      ].sort(),
    );
  });

  it('gives every route a summary, an answer and its errors', () => {
    for (const { method, path, summary, tags, responses } of operations()) {
      const route = `${method} ${path}`;
      expect([route, typeof summary, tags?.length]).toEqual([route, 'string', 1]);
      const statuses = Object.keys(responses).map(Number);
      expect([route, statuses.some((status) => status < 400)]).toEqual([route, true]);
      expect(statuses, route).toEqual(
        expect.arrayContaining([400, 401, 403, 404, 409, 413, 422, 429, 500, 503]),
      );
      const envelope = path.startsWith('/api/support/') ? 'SupportError' : 'Error';
      expect(JSON.stringify(responses[422]), route).toContain(`#/components/schemas/${envelope}"`);
    }
  });

  it('has unique operation ids and a parameter for every name in a path', () => {
    const ids = operations().map(({ operationId }) => operationId);
    expect(ids.filter((id, at) => ids.indexOf(id) !== at)).toEqual([]);
    for (const { path, parameters = [] } of operations()) {
      const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
      const declared = parameters.filter((parameter) => parameter.in === 'path').map(({ name }) => name);
      expect([path, declared.sort()]).toEqual([path, named.sort()]);
    }
  });

  it('refers to nothing that is not there', () => {
    for (const [, reference] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
      const target = (reference ?? '').split('/').reduce((at, key) => at?.[key], document);
      expect(target, reference).toBeDefined();
    }
  });

  it('shows an example of every JSON body and answer', () => {
    for (const { method, path, requestBody, responses } of operations()) {
      const good = Object.entries(responses).filter(([status]) => Number(status) < 400);
      for (const { content } of [requestBody ?? {}, ...good.map(([, response]) => response)]) {
        const json = content?.['application/json'];
        if (json !== undefined) expect(json, `${method} ${path}`).toHaveProperty('example');
      }
    }
  });

  it('names every query parameter whose value is refused: a wrong one, an empty one, one that is there twice', async () => {
    const { id: business_id, key, ownerId } = await api.business();
    const create = async (noun: string, body: object) =>
      (await api.call('POST', `/api/v1/${noun}`, { key, body })).body.id;
    const ids: Record<string, string> = {
      channels: await create('channels', { type: 'webchat', is_default: true }),
      customers: await create('customers', { name: 'Ada' }),
      conversations: await create('conversations', { business_id, initial_message: 'x' }),
      'webhook-endpoints': await create('webhook-endpoints', { url: 'https://a.example', events: ['*'] }),
      'automation-rules': await create('automation-rules', {
        trigger: 'message.received',
        actions: [{ type: 'addTag', tag: 'x' }],
      }),
    };
    const asked = operations().flatMap(({ method, path, parameters = [] }) =>
      path.startsWith('/api/v1/') && !path.includes('/templates')
        ? parameters.filter((one) => one.in === 'query').map((one) => ({ method, path, parameters, one }))
        : [],
    );
    expect(asked.length).toBeGreaterThan(100);
    const taken: unknown[] = [];
    for (const { method, path, parameters, one } of asked) {
      const [, , , noun = ''] = path.split('/');
      const at = path
        .replace('{id}', ids[noun] ?? '')
        .replace('{conversation_id}', ids['conversations'] ?? '');
      const needed = parameters.filter(({ name, required }) => required && name !== one.name);
      const ask = async (...values: string[]) => {
        const query = new URLSearchParams();
        for (const { name } of needed) query.append(name, name === 'q' ? 'x' : ownerId);
        for (const value of values) query.append(one.name, value);
        const { status, body } = await api.call(method.toUpperCase(), `${at}?${query}`, { key });
        return [status, body.error?.details[0]?.field];
      };
      const values = isFreeText(one) ? [['~', '~']] : [['~', '~'], ['~'], ['']];
      for (const value of values) {
        const [status, field] = await ask(...value);
        if (status !== 422 || field !== one.name) taken.push([method, path, one.name, value, status, field]);
      }
    }
    expect(taken).toEqual([]);
  });

  it('is read by a page that needs nothing from elsewhere', async () => {
    const start = await api.call('GET', '/');
    expect([start.status, start.headers.get('location')]).toEqual([302, '/docs']);
    const page = await api.call('GET', '/docs');
    expect(page.headers.get('content-type')).toContain('text/html');
    expect(page.text).not.toMatch(/(src|href)="https?:/);
    const needed = [...page.text.matchAll(/(?:src|href)="(\/[^"]+)"/g)].map(([, path]) => path ?? '');
    expect(needed).toHaveLength(4);
    for (const path of needed) expect([path, (await api.call('GET', path)).status]).toEqual([path, 200]);
    expect((await api.call('GET', '/docs/elsewhere.js')).status).toBe(404);
  });
});

/** Whatever is said there may be meant; a cursor has a refusal of its own. */
function isFreeText({ name, schema }: Parameter): boolean {
  if (['status', 'type', 'channel_type', 'timezone'].includes(name)) return false;
  const isText = schema.type === 'string' && schema.anyOf === undefined;
  return isText && schema.enum === undefined && schema.format === undefined && schema.pattern === undefined;
}
