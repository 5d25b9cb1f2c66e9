import { type CorpusMail, judge, READERS, type Reader, readCorpus } from './quoting.ts';

type Group = [name: string, belongs: (mail: CorpusMail) => boolean];

const client = (name: string, ...clients: string[]): Group => [name, (mail) => clients.includes(mail.client)];
const style = (name: string, wanted: string): Group => [name, (mail) => mail.style === wanted];
const language = (name: string, ...languages: string[]): Group => [
  name,
  (mail) => languages.includes(mail.language),
];

/** The rows of the table: every mail is in one of each kind. */
export const GROUPS: Group[] = [
  client('Gmail', 'gmail', 'gmail-text', 'superhuman'),
  client('Outlook', 'outlook', 'outlook-text', 'owa', 'owa-text', 'outlookapp'),
  client('Apple Mail, iPhone', 'apple', 'iphone'),
  client('Thunderbird', 'thunderbird', 'thunderbird-text'),
  client(
    'Yahoo, Proton, GMX, Zoho, Fastmail',
    'yahoo',
    'yahoo-text',
    'proton',
    'gmx',
    'zoho',
    'zoho-text',
    'fastmail',
  ),
  client('mail.ru, Yandex, QQ, NetEase', 'mailru', 'yandex', 'qq', 'netease'),
  client('Samsung', 'samsung', 'samsung-text'),
  client(
    'Roundcube, Zimbra, Notes, Spark, Front, eM Client',
    'roundcube',
    'roundcube-text',
    'zimbra',
    'zimbra-text',
    'notes',
    'spark',
    'front',
    'emclient',
  ),
  client('plain text by hand, mutt', 'plain', 'mutt'),
  style('answer on top', 'top'),
  style('answer below', 'bottom'),
  style('answers in between', 'inline'),
  style('no answer: nothing is quoted', 'fresh'),
  style('forwarded', 'forward'),
  style('nothing but quote or signature', 'bare'),
  language('English', 'en'),
  language('German, Dutch', 'de', 'nl'),
  language('French, Spanish, Italian, Portuguese, Romanian', 'fr', 'es', 'it', 'pt', 'ro'),
  language('Swedish, Danish, Norwegian, Finnish', 'sv', 'da', 'nb', 'fi'),
  language('Polish, Czech, Russian, Ukrainian', 'pl', 'cs', 'ru', 'uk'),
  language('Greek, Hungarian, Turkish', 'el', 'hu', 'tr'),
  language('Chinese, Japanese, Korean', 'zh', 'tw', 'ja', 'ko'),
  language('Arabic, Hebrew', 'ar', 'he'),
];

/** How many of these mails a reader shows exactly. */
export function exactIn(mails: CorpusMail[], reader: Reader): number {
  return mails.filter((mail) => judge(mail, reader(mail)) === 'exact').length;
}

/** The table of the README, as Markdown. */
export async function quotingTable(): Promise<string> {
  const corpus = await readCorpus();
  const readers = Object.entries(READERS);
  const rows = GROUPS.map(([name, belongs]) => [name, corpus.filter(belongs)] as const);
  const counted = [...rows, ['**all, read exactly**', corpus] as const].map(([name, mails]) => [
    name,
    mails.length,
    ...readers.map(([, reader]) => exactIn(mails, reader)),
  ]);
  const ofAll = (name: string, is: (mail: CorpusMail, shown: string) => boolean) => [
    name,
    '',
    ...readers.map(([, reader]) => corpus.filter((mail) => is(mail, reader(mail))).length),
  ];
  const cells = [
    ['', 'mails', ...readers.map(([name]) => name)],
    ['---', '--:', ...readers.map(() => '--:')],
    ...counted,
    ofAll('showed more than was written', (mail, shown) => judge(mail, shown) === 'kept'),
    ofAll('cut into what was written', (mail, shown) => judge(mail, shown) === 'cut'),
    ofAll('showed nothing', (_, shown) => shown.trim() === ''),
  ];
  return `${cells.map((row) => `| ${row.join(' | ')} |`).join('\n')}\n`;
}
