import { createHmac } from 'node:crypto';
import type { Channel } from '../../core/adapter.ts';
import { headersNamed, type Mail } from './mail.ts';
import type { EmailSettings } from './settings.ts';

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

/** The verdict that we noted ourselves, or a server that is believed, the topmost one; anybody may write such a header. */
export function notedVerdict(
  mail: Pick<Mail, 'headers'>,
  channel: Pick<Channel<EmailSettings>, 'id' | 'settings'>,
): Verdict | undefined {
  const ours = ourName(channel.settings);
  for (const value of headersNamed(mail, 'authentication-results')) {
    const [server = '', ...results] = withoutComments(value).split(';');
    const name = server.trim().split(/\s+/, 1)[0]?.toLowerCase() ?? '';
    if (name !== ours && name !== channel.settings.authserv_id?.toLowerCase()) continue;
    const [spf, dkim, dmarc] = METHODS.map((method) => bestOf(results, method));
    const by = name === ours ? channel.id : name;
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
export function authenticationHeader(settings: EmailSettings, { spf, dkim, dmarc }: Verdict): string {
  return `Authentication-Results: ${ourName(settings)}; spf=${spf}; dkim=${dkim}; dmarc=${dmarc}\r\n`;
}

/** As whom we note it: a name that nobody outside can know, for a mailbox may hold mails that claim to be ours. */
function ourName({ inbound_secret: secret }: EmailSettings): string {
  return createHmac('sha256', secret).update('authentication-results').digest('hex');
}
