import { createApp } from '../src/api/app.ts';
import type { ApiDeps } from '../src/api/deps.ts';
import { readConfig } from '../src/core/config.ts';

/** The OpenAPI document as a gateway serves it, without a database: it is made of the routes' declarations alone. */
export async function openapiDocument(): Promise<Record<string, unknown>> {
  const config = readConfig({});
  const app = createApp(
    new Proxy({ config } as ApiDeps, { get: (deps, name) => Reflect.get(deps, name) ?? uncalled }),
  );
  const response = await app.request('/openapi.json');
  if (response.status !== 200) throw new Error(`the document was answered with ${response.status}`);
  return (await response.json()) as Record<string, unknown>;
}

/** Stands for every part that routes are given and do not touch before the first request. */
const uncalled: unknown = new Proxy(() => {}, { get: () => uncalled, apply: () => uncalled });
