import { join } from 'node:path';
import type { Config } from '../config.ts';
import type { FirstRun } from './first-run.ts';

/** What the terminal shows once the gateway is ready; on the first start, with the credentials it made. */
export function banner(config: Config, url: string | undefined, first: FirstRun | undefined): string {
  if (url === undefined) return 'Tributary is ready, as a worker\n';
  const ready = `Tributary is ready at ${url}\n`;
  return first === undefined ? ready : `${ready}\n${credentials(config, url, first)}\n`;
}

function credentials(config: Config, url: string, first: FirstRun): string {
  const lines = [
    `  business   ${first.business_id}`,
    // A key that was given from outside is known there, and logs are read by many.
    `  API key    ${config.bootstrapApiKey === undefined ? first.api_key : 'the BOOTSTRAP_API_KEY'}`,
    `  web chat   ${first.channel_id}`,
    ...(hasDemo(config) ? [`  try it     ${url}/demo#${first.demo_key}`] : []),
    '',
    `  Shown only now; also kept in ${join(config.dataDir, 'credentials.json')}.`,
  ];
  return `${lines.join('\n')}\n`;
}

/** The demo page is for the person at this machine, never for a server that others reach. */
export function hasDemo({ database, host }: Config): boolean {
  return database.kind === 'embedded' && ['127.0.0.1', 'localhost', '::1'].includes(host);
}
