import type { MiddlewareHandler } from 'hono';
import { clientAddress, isLoopback } from '../core/client-ip.ts';
import { parseRange } from '../core/ip-range.ts';
import type { ApiEnv } from './deps.ts';
import { requestHeader } from './node-request.ts';

/** Finds the client's address: X-Forwarded-For counts only as far as TRUSTED_PROXIES wrote it. */
export function clientIp(trustedProxies: readonly string[]): MiddlewareHandler<ApiEnv> {
  const trusted = trustedProxies.map(parseRange);
  return async (c, next) => {
    const peer = c.env?.incoming?.socket.remoteAddress;
    const forwardedFor = requestHeader(c, 'x-forwarded-for');
    c.set('clientIp', clientAddress({ peer, forwardedFor }, trusted));
    // Through a proxy that nobody declared every client looks local: such a request is not taken for one.
    c.set('isLocal', isLoopback(c.get('clientIp')) && (forwardedFor === undefined || trusted.length > 0));
    await next();
  };
}
