import { glob, readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';

/*
 * Every connection that we open to an address which somebody gave us goes through the guard, core/egress.ts. This reads the
 * sources, for one call that goes round it would be enough.
 */

const ROOT = new URL('../../', import.meta.url);
const GUARD = 'src/core/egress.ts';

/** Those that open a connection to an address of the operator's or of our own, each with the reason. */
const OWN: Record<string, string> = {
  'src/core/egress/tunnel.ts': "opens the guard's way through the operator's proxy",
  'src/core/channels/test-channel.ts': 'asks our own door, at PUBLIC_URL',
};

/** What opens connections: by itself, or in a library that has to be handed what the guard made. */
const OPENERS = [
  /(?<![.\w])fetch\(/,
  /import \{[^}]*\b(?:connect|createConnection|Socket)\b[^}]*\} from 'node:(?:net|tls)'/,
  /import \{[^}]*\b(?:request|get)\b[^}]*\} from 'node:https?'/,
  /import \{[^}]*\b(?:fetch|stream|pipeline|Client|Pool|Agent)\b[^}]*\} from 'undici'/,
  /from 'node:dgram'|from 'node:http2'/,
];
const HANDED: [opener: RegExp, isHanded: RegExp][] = [
  [/import \{[^}]*(?<!type )\brequest\b[^}]*\} from 'undici'/, /\bdispatcher\b/],
  [/import \{ (?!type )[^}]*\bImapFlow\b[^}]*\} from 'imapflow'/, /egress\.connect\(/],
  [/import (?!type )[^;]*from 'nodemailer'/, /egress|Guard/],
  [/import \{[^}]*\b(?:Api|Bot)\b[^}]*\} from 'grammy'/, /fetch:|egress|transport/i],
];

async function sources(): Promise<[path: string, text: string][]> {
  const files: [string, string][] = [];
  for await (const path of glob('src/**/*.ts', { cwd: ROOT }))
    files.push([path, await readFile(new URL(path, ROOT), 'utf8')]);
  return files;
}

describe('every way out', () => {
  it('is the guard, or one to an address of our own', async () => {
    const files = await sources();
    expect(files.length).toBeGreaterThan(100);
    const found = files
      .filter(
        ([path, text]) => path !== GUARD && OPENERS.some((opener) => opener.test(withoutComments(text))),
      )
      .map(([path]) => path);
    expect(found.sort()).toEqual(Object.keys(OWN).sort());
  });

  it('through a library takes what the guard made', async () => {
    for (const [path, text] of await sources()) {
      for (const [opener, isHanded] of HANDED)
        if (opener.test(text)) expect([path, isHanded.test(text)]).toEqual([path, true]);
    }
  });
});

function withoutComments(text: string): string {
  return text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
}
