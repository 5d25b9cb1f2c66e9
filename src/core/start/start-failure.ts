import type { Config } from '../config.ts';

/** Why the start failed, in one sentence that says what to do. */
export function startFailure(error: unknown, config: Config | undefined): string {
  const { code, syscall, hostname } = facts(error);
  if (code === 'EADDRINUSE')
    return `Port ${config?.port} on ${config?.host} is taken: set PORT to a free one.`;
  if (code === 'EACCES' && syscall === 'listen') return `Port ${config?.port} needs more rights: set PORT.`;
  if (code === 'EADDRNOTAVAIL' || (hostname !== undefined && hostname === config?.host))
    return `HOST ${config?.host} is no address of this machine.`;
  if (isDatabaseAway(code)) return `The database at DATABASE_URL does not answer (${code}).`;
  if (code?.startsWith('28')) return 'The database at DATABASE_URL refuses this user or password.';
  return error instanceof Error && error.message !== '' ? error.message : String(error);
}

interface Facts {
  code?: string;
  syscall?: string;
  /** Of a name that nobody knows. */
  hostname?: string;
}

function facts(error: unknown): Facts {
  return error instanceof Error ? (error as Facts) : {};
}

const UNREACHABLE = [
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'CONNECT_TIMEOUT',
];

// 57P03: the server is starting up.
function isDatabaseAway(code: string | undefined): boolean {
  return code !== undefined && (UNREACHABLE.includes(code) || code === '57P03');
}
