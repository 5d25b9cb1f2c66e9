import type { Role } from '../core/actor.ts';

/** `operator` is whoever holds ADMIN_API_KEY; `anyone` needs no key (the route checks a token of its own). */
export type Access = Role | 'operator' | 'anyone';

/**
 * Who may do what, in one place; the README prints it. The first line that matches decides; paths are below /api/v1 (those of the support
 * dialect begin with /support), `*` is one segment and `**` any rest. A bot may do what an agent may. What no line names, an agent may do: work conversations and customers.
 */
export const RULES: readonly [methods: string, path: string, access: Access][] = [
  ['POST', '/businesses', 'operator'],
  ['PATCH', '/business', 'admin'],
  ['*', '/business/ai', 'admin'],
  ['GET', '/audit-log', 'admin'],

  ['*', '/api-keys/**', 'admin'],

  ['POST', '/team/invite', 'owner'],
  ['DELETE', '/team/members/*', 'owner'],
  ['POST', '/team/assign/*', 'admin'],

  ['GET', '/teams/**', 'agent'],
  ['*', '/teams/**', 'admin'],

  ['GET', '/channels', 'agent'],
  ['GET', '/channels/*', 'agent'],
  ['GET', '/channels/*/templates', 'agent'],
  ['*', '/channels/**', 'admin'],

  ['*', '/automation-rules/**', 'admin'],

  ['DELETE', '/customers/*', 'admin'],
  ['GET', '/customers/*/export', 'admin'],

  ['*', '/inbound-events/**', 'admin'],
  ['*', '/webhook-endpoints/**', 'admin'],
  ['*', '/webchat/**', 'anyone'],

  ['*', '/support/webhooks/**', 'admin'],
  ['*', '/support/automation-rules/**', 'admin'],
];

const DEFAULT_ACCESS: Access = 'agent';

const COMPILED = RULES.map(([methods, path, access]) => ({ methods, pattern: patternOf(path), access }));

/** What a request to this path needs. */
export function accessTo(method: string, path: string): Access {
  const rule = COMPILED.find(
    ({ methods, pattern }) => (methods === '*' || methods === method) && pattern.test(path),
  );
  return rule?.access ?? DEFAULT_ACCESS;
}

function patternOf(path: string): RegExp {
  const source = path.replace('/**', '(/.*)?').replaceAll(/(?<=\/)\*/g, '[^/]+');
  return new RegExp(`^${source}/?$`);
}
