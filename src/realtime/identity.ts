import type { JWTPayload } from 'jose';
import { z } from 'zod';
import { AppError } from '../core/errors.ts';

/** Whom the business's own backend says the visitor is. */
export interface Identity {
  externalId: string;
  name: string | undefined;
  email: string | undefined;
}

const DAY_SECONDS = 86_400;
const CLOCK_TOLERANCE_SECONDS = 60;

const claims = z.object({
  sub: z.union([z.string(), z.number().transform(String)]).pipe(z.string().min(1).max(200)),
  name: z.string().trim().min(1).max(200).optional().catch(undefined),
  email: z.email().max(320).optional().catch(undefined),
});

/** The identity of a JWT (HS256) that the business signed. Throws `unauthorized` for any other, and once it has expired. */
export async function verifyIdentity(token: string, secret: string | undefined): Promise<Identity> {
  if (secret === undefined)
    throw refused('The channel has no identity_secret, so it takes no identity_token.');
  const payload = await verified(token, secret);
  const parsed = claims.safeParse(payload);
  if (!parsed.success) throw refused('The identity_token names nobody: it needs `sub`.');
  refuseEndless(payload);
  return { externalId: parsed.data.sub, name: parsed.data.name, email: parsed.data.email };
}

async function verified(token: string, secret: string): Promise<JWTPayload> {
  const { jwtVerify } = await import('jose');
  let cause: unknown;
  for (const one of secretsIn(secret)) {
    const key = new TextEncoder().encode(one);
    try {
      const checks = { algorithms: ['HS256'], clockTolerance: CLOCK_TOLERANCE_SECONDS };
      return (await jwtVerify(token, key, checks)).payload;
    } catch (error) {
      cause = error;
    }
  }
  throw new AppError('unauthorized', 'The identity_token is not valid or has expired.', { cause });
}

const SHORTEST_SECRET = 8;

/** `new,old` while the business exchanges its secret; a comma may also be part of one. */
function secretsIn(secret: string): string[] {
  const parts = secret.split(',').map((part) => part.trim());
  return parts.length > 1 && parts.every(({ length }) => length >= SHORTEST_SECRET)
    ? [secret, ...parts]
    : [secret];
}

/** A token without an end would let whoever once saw it in for ever: it ends a day after it was issued. */
function refuseEndless({ exp, iat }: JWTPayload): void {
  if (exp !== undefined) return;
  if (iat === undefined) throw refused('The identity_token needs `exp`, or at least `iat`.');
  if (iat + DAY_SECONDS < Date.now() / 1000)
    throw refused('The identity_token is older than a day and has no `exp`.');
}

function refused(message: string): AppError {
  return new AppError('unauthorized', message);
}
