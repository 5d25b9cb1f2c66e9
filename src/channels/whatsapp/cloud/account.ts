import { z } from 'zod';
import { GraphRefusal } from './errors.ts';
import type { Graph } from './graph.ts';
import type { CloudSettings } from './settings.ts';

const debugged = z.object({
  data: z.object({
    granular_scopes: z
      .array(z.object({ scope: z.string(), target_ids: z.array(z.string()).optional() }))
      .catch([]),
  }),
});

const numbers = z.object({ data: z.array(z.object({ id: z.string() })) });

/** The WhatsApp Business Account of the number: as given, else one of those that the token was made for. */
export async function findBusinessAccount(
  graph: Graph,
  settings: CloudSettings,
): Promise<string | undefined> {
  if (settings.business_account_id !== undefined) return settings.business_account_id;
  for (const account of await accountsOfToken(graph, settings)) {
    const query = { fields: 'id', limit: '100' };
    const { data } = numbers.parse(await graph(settings, { path: `${account}/phone_numbers`, query }));
    if (data.some(({ id }) => id === settings.phone_number_id)) return account;
  }
  return undefined;
}

async function accountsOfToken(graph: Graph, settings: CloudSettings): Promise<string[]> {
  try {
    const query = { input_token: settings.access_token };
    const { data } = debugged.parse(await graph(settings, { path: 'debug_token', query }));
    const scopes = data.granular_scopes.filter(({ scope }) => scope.startsWith('whatsapp_business_'));
    return [...new Set(scopes.flatMap(({ target_ids = [] }) => target_ids))];
  } catch (error) {
    if (error instanceof GraphRefusal && error.code !== 190) return [];
    throw error;
  }
}
