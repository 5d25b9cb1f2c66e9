import { z } from 'zod';

/** The address below which a provider's API is: its own servers', or those that stand in for them. */
export function apiRoot(usual: string) {
  return z
    .url({ protocol: /^https?$/ })
    .transform((url) => url.replace(/\/+$/, ''))
    .default(usual);
}
