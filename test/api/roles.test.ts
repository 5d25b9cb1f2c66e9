import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { RULES } from '../../src/api/access.ts';
import { newId } from '../../src/core/id.ts';
import { ADMIN_API_KEY, startApi, type TestApi } from '../support/api.ts';

const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
const ROLES = ['owner', 'admin', 'agent', 'bot'] as const;
const REST = 'everything else';

/** Whom each word of the table lets through. */
const WHO: Record<string, readonly string[]> = {
  'the operator': ['operator'],
  owners: ['owner'],
  'owners, admins': ['owner', 'admin'],
  'owners, admins, agents, bots': ROLES,
  'whoever brings its own token': [...ROLES, 'operator', 'nobody'],
};
const WORD_OF = {
  operator: 'the operator',
  owner: 'owners',
  admin: 'owners, admins',
  agent: 'owners, admins, agents, bots',
  bot: 'owners, admins, agents, bots',
  anyone: 'whoever brings its own token',
};

interface Row {
  what: string;
  who: string;
}

/** The table as the README prints it. */
const printed: Row[] = [...readme.matchAll(/^\| (`[A-Z*]+ \/[^`]*`|everything else) \| ([^|]+) \|$/gm)].map(
  ([, what = '', who = '']) => ({ what: what.replaceAll('`', ''), who: who.trim() }),
);

let api: TestApi;
let routes: { method: string; path: string; hasBody: boolean }[];
const keys: Record<string, string> = {};

beforeAll(async () => {
  api = await startApi();
  const { id, key } = await api.business();
  keys['owner'] = key;
  for (const role of ['admin', 'agent', 'bot'] as const) keys[role] = await api.keyFor(id, role);
  keys['operator'] = ADMIN_API_KEY;
  const { body } = await api.call('GET', '/openapi.json');
  routes = Object.entries<Record<string, { requestBody?: object }>>(body.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, { requestBody }]) => ({
      method: method.toUpperCase(),
      path,
      hasBody: requestBody !== undefined,
    })),
  );
});
afterAll(() => api.stop());

it('the README prints who may do what as the code decides it', () => {
  const decided = RULES.map(([methods, path, access]) => ({
    what: `${methods} ${path}`,
    who: WORD_OF[access],
  }));
  const expected = [...decided, { what: REST, who: WORD_OF.agent }];
  const table = expected
    .map(({ what, who }) => `| ${what === REST ? what : `\`${what}\``} | ${who} |`)
    .join('\n');
  expect(printed, `the table of the README should be\n${table}`).toEqual(expected);
});

/** The first row that names the route. */
function rowOf(method: string, path: string): Row | undefined {
  return printed.find(({ what }) => {
    const [methods = '', pattern = ''] = what.split(' ');
    if (what === REST) return true;
    const source = pattern.replace('/**', '(/.*)?').replaceAll(/(?<=\/)\*/g, '[^/]+');
    return (methods === '*' || methods === method) && new RegExp(`^${source}$`).test(path);
  });
}

it('every route lets through whom the table names, and nobody else', async () => {
  const outside = ['/health/live', '/health/ready', '/metrics'];
  for (const { method, path, hasBody } of routes) {
    const below = path.replace(/^\/api(\/v1)?/, '');
    if (outside.includes(path) || below === path) continue;
    const { who = '' } = rowOf(method, below) ?? {};
    for (const role of [...ROLES, 'operator', 'nobody']) {
      const key = keys[role];
      const answer = await api.call(method, path.replaceAll(/\{\w+\}/g, newId()), {
        ...(key === undefined ? {} : { key }),
        // Unreadable, so that whoever is let through changes nothing.
        ...(hasBody ? { raw: '{', headers: { 'content-type': 'application/json' } } : {}),
      });
      const isThrough = answer.status !== 401 && answer.status !== 403;
      const isMeant = WHO[who]?.includes(role) ?? false;
      // A token of its own is what those routes ask for.
      if (who === WORD_OF.anyone) expect(answer.status, `${method} ${path}`).not.toBe(403);
      else expect([method, path, role, isThrough]).toEqual([method, path, role, isMeant]);
    }
  }
}, 120_000);
