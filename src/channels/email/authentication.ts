import { headersNamed, type Mail } from './mail.ts';

/** What is known of whether a mail comes from whom it says. */
export interface Verdict {
  spf: string;
  dkim: string;
  dmarc: string;
  /** Who checked: us, or a mail server that is believed. */
  by: string;
}

const METHODS = ['spf', 'dkim', 'dmarc'] as const;
const RANK = ['pass', 'fail', 'softfail', 'policy', 'neutral', 'temperror', 'permerror', 'none'];

/** The verdict that a believed server noted in the mail, the topmost one; anybody may write such a header. */
export function notedVerdict(
  mail: Pick<Mail, 'headers'>,
  believed: (string | undefined)[],
): Verdict | undefined {
  for (const value of headersNamed(mail, 'authentication-results')) {
    const [server = '', ...results] = withoutComments(value).split(';');
    const by = server.trim().split(/\s+/, 1)[0]?.toLowerCase() ?? '';
    if (!believed.some((one) => one?.toLowerCase() === by)) continue;
    const [spf, dkim, dmarc] = METHODS.map((method) => bestOf(results, method));
    return { spf: spf ?? 'none', dkim: dkim ?? 'none', dmarc: dmarc ?? 'none', by };
  }
  return undefined;
}

/** Of several signatures one that holds is enough. */
function bestOf(results: string[], method: string): string {
  const found = results.flatMap(
    (one) => new RegExp(`^\\s*${method}\\s*=\\s*([a-z]+)`, 'i').exec(one)?.[1]?.toLowerCase() ?? [],
  );
  return RANK.find((result) => found.includes(result)) ?? 'none';
}

function withoutComments(value: string): string {
  return value.slice(0, 20_000).replace(/\([^()]*\)/g, ' ');
}

/** The header in which we note our own verdict. */
export function authenticationHeader(id: string, { spf, dkim, dmarc }: Verdict): string {
  return `Authentication-Results: ${id}; spf=${spf}; dkim=${dkim}; dmarc=${dmarc}\r\n`;
}
