import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitText } from '../../../src/channels/shared/split-text.ts';
import { telegramHtml } from '../../../src/channels/telegram/html.ts';
import { split } from '../../../src/channels/telegram/split.ts';
import { outbound, outboundFile } from '../../support/outbound.ts';

const anyText = fc.string({ unit: 'grapheme', maxLength: 400 });
const spacedText = fc
  .array(fc.oneof(anyText, fc.constantFrom(' ', '\n', '\n\n', '👩‍👩‍👧‍👦', '🇩🇪', 'é')), { maxLength: 60 })
  .map((all) => all.join(''));

describe('splitText', () => {
  it('never exceeds the limit and never loses a character', () => {
    fc.assert(
      fc.property(
        spacedText,
        fc.integer({ min: 2, max: 50 }),
        fc.integer({ min: 2, max: 50 }),
        (text, limit, first) => {
          const pieces = splitText(text, limit, first);
          expect(pieces.join('')).toBe(text);
          for (const [n, piece] of pieces.entries())
            expect(piece.length).toBeLessThanOrEqual(n === 0 ? first : limit);
          if (text !== '') expect(pieces).not.toContain('');
        },
      ),
    );
  });

  it('never cuts a surrogate pair, and no grapheme that fits into a piece', () => {
    const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
    fc.assert(
      fc.property(spacedText, fc.integer({ min: 40, max: 80 }), (text, limit) => {
        const bounds = new Set([...graphemes.segment(text)].map(({ index }) => index));
        let at = 0;
        for (const piece of splitText(text, limit)) {
          expect(piece.isWellFormed()).toBe(true);
          expect(bounds.has(at) || text === '').toBe(true);
          at += piece.length;
        }
      }),
    );
  });

  it('prefers a paragraph to a line, a line to a space, a space to a cut', () => {
    expect(splitText('one two\n\nthree four\nfive six', 20)[0]).toBe('one two\n\nthree four\n');
    expect(splitText('aaaa bbbb cccc\n\ndddd eeee', 20)[0]).toBe('aaaa bbbb cccc\n\n');
    expect(splitText('aaaa bbbb cccc dddd eeee', 20)[0]).toBe('aaaa bbbb cccc dddd ');
    expect(splitText('a'.repeat(25), 20)[0]).toBe('a'.repeat(20));
  });

  it('survives a letter under more accents than fit into a piece', () => {
    const zalgo = `e${'\u0301'.repeat(100)}`;
    expect(splitText(zalgo, 10).join('')).toBe(zalgo);
  });
});

describe('split', () => {
  it('makes no part of white space alone, and one of a message that has nothing else', () => {
    const padded = split(outbound({ content: `start${' '.repeat(9000)}end` }));
    expect(padded.map(({ payload }) => String(payload['text']).trim())).toEqual(['start', 'end']);
    expect(split(outbound({ content: '  ' }))).toHaveLength(1);
  });

  it('never exceeds what Telegram takes, whatever the message holds', () => {
    const kinds = fc.constantFrom(
      'image/png',
      'video/mp4',
      'application/pdf',
      'audio/ogg',
      'image/gif',
      'audio/mpeg',
    );
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme', maxLength: 9000 }),
        fc.array(kinds, { maxLength: 25 }),
        (content, types) => {
          const parts = split(outbound({ content, attachments: types.map((type) => outboundFile(type)) }));
          expect(parts.length).toBeGreaterThan(0);
          expect(parts.flatMap(({ attachments }) => attachments)).toHaveLength(types.length);
          for (const { payload, attachments } of parts) {
            const most = attachments.length > 0 ? 1024 : 4096;
            expect(String(payload['text']).length).toBeLessThanOrEqual(most);
            expect(attachments.length).toBeLessThanOrEqual(10);
          }
        },
      ),
      { numRuns: 50 },
    );
  });

  it('replies with the first part and puts the buttons under the last', () => {
    const card = { title: 'T', description: 'long '.repeat(1000), actions: [{ label: 'Go', action: 'go' }] };
    const parts = split(
      outbound({ card, replyToExternalId: '5001:7', attachments: [outboundFile('image/png')] }),
    );
    expect(parts.map(({ payload }) => [payload['replyTo'], payload['keyboard'] !== undefined])).toEqual([
      ['5001:7', false],
      [undefined, false],
      [undefined, true],
    ]);
  });
});

describe('telegramHtml', () => {
  it('knows what Telegram shows', () => {
    expect(telegramHtml('<p>one</p><p>two<br>three</p>')).toEqual({
      html: 'one\n\ntwo\nthree',
      text: 'one\n\ntwo\nthree',
    });
    expect(telegramHtml('<b>a &lt; b</b>')?.text).toBe('a < b');
  });

  it.each([
    '<table></table>',
    '<b><i>x</b></i>',
    '<b>x',
    '<b onclick="x">x</b>',
    'a < b',
    '&nbsp;',
    '</b>',
    '<a href="x" title="y">z</a>',
  ])('leaves %s alone', (html) => expect(telegramHtml(html)).toBeUndefined());
});
