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
  parameters?: { name: string; in: string; required?: boolean }[];
  summary?: string;
  tags?: string[];
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
