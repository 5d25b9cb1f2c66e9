import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import { readable } from '../../../src/channels/email/readable.ts';
import { type CorpusMail, judge, READERS, readCorpus } from '../../support/quoting.ts';
import { exactIn, GROUPS, quotingTable } from '../../support/quoting-table.ts';

const { Tributary: ours, ...others } = READERS as Record<string, (mail: CorpusMail) => string> & {
  Tributary: (mail: CorpusMail) => string;
};

describe('what a mail says to a reader', () => {
  let corpus: CorpusMail[];
  beforeAll(async () => {
    corpus = await readCorpus();
  });

  it('shows what the person wrote, of every mail of the corpus, and nothing else', () => {
    const wrong = corpus.filter((mail) => judge(mail, ours(mail)) !== 'exact').map(({ name }) => name);
    expect(wrong).toEqual([]);
  });

  it('is measured on many mails, in at least fourteen languages', () => {
    expect(corpus.length).toBeGreaterThanOrEqual(120);
    expect(new Set(corpus.map(({ language }) => language)).size).toBeGreaterThanOrEqual(14);
    expect(new Set(corpus.map(({ client }) => client)).size).toBeGreaterThanOrEqual(20);
  });

  it('is better than each library alone, and worse in no group', () => {
    for (const [library, reader] of Object.entries(others)) {
      expect(exactIn(corpus, ours), library).toBeGreaterThan(exactIn(corpus, reader));
      for (const [group, belongs] of GROUPS) {
        const mails = corpus.filter(belongs);
        expect(mails.length, group).toBeGreaterThan(0);
        expect(exactIn(mails, ours), `${group}, ${library}`).toBeGreaterThanOrEqual(exactIn(mails, reader));
      }
    }
  });

  it('puts every mail into one group of each kind', () => {
    for (const mail of corpus) {
      expect(GROUPS.filter(([, belongs]) => belongs(mail)).length, mail.name).toBe(3);
    }
  });

  it('is what the README says that it is', async () => {
    const readme = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
    expect(readme).toContain(await quotingTable());
  });

  it('keeps the whole text beside what it shows', () => {
    for (const mail of corpus) {
      const { content, textFull } = readable(mail);
      const whole = (textFull ?? content).replace(/[\s>]+/g, ' ');
      for (const line of mail.written.split('\n'))
        expect(whole, mail.name).toContain(line.replace(/[\s>]+/g, ' ').trim());
    }
  });

  it('reads the plain text of a mail that has HTML too', () => {
    const wrong = corpus
      .filter(({ text, style }) => text.trim() !== '' && style !== 'fresh')
      .filter((mail) => judge(mail, ours({ ...mail, html: '' })) === 'cut')
      .map(({ name }) => name);
    expect(wrong).toEqual([]);
  });

  it('shows something of every mail that holds something', () => {
    expect(readable({ text: '> quoted\n> quoted\n> quoted' }).content).toContain('quoted');
    expect(readable({ html: '<blockquote type="cite">only this</blockquote>' }).content).toContain(
      'only this',
    );
    expect(readable({ text: '-- \nAda' }).content).toBe('--\nAda');
    expect(readable({ text: 'plain', html: '<div></div>' }).content).toBe('plain');
    expect(readable({ html: '<p>html</p>', text: ' ' }).content).toBe('html');
    expect(readable({})).toEqual({ content: '', textFull: undefined });
  });

  it('survives what nobody writes', () => {
    const long = 200_000;
    const hostile = [
      { html: '<div>'.repeat(long) },
      { html: '<'.repeat(long) },
      { html: '<blockquote>'.repeat(20_000) },
      { html: '<a href="https://x.example/">'.repeat(20_000) },
      { html: `<div style="${'border-top: solid #b5c4df 1.0pt '.repeat(10_000)}">x</div>` },
      { html: '<td>'.repeat(long / 4) },
      { html: '<p>x\u0000y</p><!--' },
      { text: 'On a wrote:\n'.repeat(long / 20) },
      { text: `${'x'.repeat(190)} wrote at 2025 10:12:\n`.repeat(2_000) },
      { text: '>'.repeat(long) },
      { text: 'From: x\n'.repeat(long / 20) },
      { text: `On ${'a '.repeat(long)}wrote:` },
      { text: '\n'.repeat(long) },
      { text: '-- \n'.repeat(long / 20) },
    ];
    for (const mail of hostile) expect(readable(mail).content).toBeTypeOf('string');
  });
});
