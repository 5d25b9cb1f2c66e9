import { createHash, timingSafeEqual } from 'node:crypto';
import type { Context, MiddlewareHandler } from 'hono';
import { reaches } from '../core/actor.ts';
import { createAuthenticate, keyInHeaders, keyMissing } from '../core/api-keys.ts';
import { AppError } from '../core/errors.ts';
import { accessTo } from './access.ts';
import type { ApiDeps, ApiEnv } from './deps.ts';

/** Lets a request through when its key may do this, and says who asks. Runs before any body is read. */
export function requireAccess({ pool, config }: ApiDeps): MiddlewareHandler<ApiEnv> {
  const authenticate = createAuthenticate(pool);
  return async (c, next) => {
    const needed = accessTo(c.req.method, c.req.path.replace(/^\/api(\/v1)?/, ''));
    if (needed === 'operator') await requireOperator(c, { authenticate, config });
    else if (needed !== 'anyone') {
      const actor = await authenticate(keyOf(c));
      if (!reaches(actor.role, needed))
        throw new AppError('forbidden', `This needs a key of role ${needed} or above.`);
      c.set('actor', actor);
    }
    await next();
  };
}

/** The key of a request, in either of its two headers. */
function keyOf(c: Context<ApiEnv>): string {
  const key = keyInHeaders(c.req.header('authorization'), c.req.header('x-api-key'));
  if (key === undefined) throw keyMissing();
  return key;
}

/** Whether the request carries ADMIN_API_KEY. */
export function isOperator(c: Context<ApiEnv>, adminApiKey: string | undefined): boolean {
  return adminApiKey !== undefined && sameText(keyOf(c), adminApiKey);
}

/** A business's own key is known here, and may not do this either. */
async function requireOperator(
  c: Context<ApiEnv>,
  { authenticate, config }: Pick<ApiDeps, 'config'> & { authenticate: ReturnType<typeof createAuthenticate> },
): Promise<void> {
  if (isOperator(c, config.adminApiKey)) return;
  await authenticate(keyOf(c));
  throw new AppError('forbidden', 'This needs the ADMIN_API_KEY of the server.');
}

/** Hashed first, so that lengths do not show either. */
function sameText(left: string, right: string): boolean {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
