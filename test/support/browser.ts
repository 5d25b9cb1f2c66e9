import { accessSync } from 'node:fs';
import { type Browser, chromium } from 'playwright-core';

const CANDIDATES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

const executablePath = CANDIDATES.find(isThere);

/** Whether there is no browser to test with. Under CI that is a failure, elsewhere it is said loudly. */
export function browserMissing(): boolean {
  if (executablePath !== undefined) return false;
  if (process.env['CI'] === 'true') throw new Error('chromium is not installed, and CI skips nothing');
  process.stderr.write('\n*** Skipped: the browser tests. Install chromium to run them. ***\n\n');
  return true;
}

/** A headless browser; whoever starts it closes it. */
export function startBrowser(): Promise<Browser> {
  return chromium.launch({ ...(executablePath && { executablePath }), args: FLAGS });
}

function isThere(path: string): boolean {
  try {
    accessSync(path);
    return true;
  } catch {
    return false;
  }
}
