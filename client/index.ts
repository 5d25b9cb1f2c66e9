import createFetchClient, { type Client, type ClientOptions } from 'openapi-fetch';
import type { paths } from './schema.ts';

export type * from './schema.ts';

interface TributaryOptions extends Pick<ClientOptions, 'fetch' | 'headers'> {
  /** Where the gateway answers, like `http://127.0.0.1:3000`. */
  url: string;
  apiKey: string;
}

/**
 * A client of the gateway with every route, parameter and answer typed: `client.GET('/api/v1/conversations')` resolves
 * with `{ data }`, or with `{ error }` in the envelope that all refusals have.
 */
export function createClient({ url, apiKey, headers, ...options }: TributaryOptions): Client<paths> {
  return createFetchClient<paths>({
    ...options,
    baseUrl: url,
    headers: { authorization: `Bearer ${apiKey}`, ...(headers as Record<string, string> | undefined) },
  });
}
