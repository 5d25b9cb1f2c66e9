import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { emailReader } from '../../support/email/adapter.ts';
import { mail, multipart } from '../../support/email/mails.ts';

const { read, message } = emailReader();
// Of the thread's own time: what others do on the machine is not the mail's.
const HANGS_MS = 2_000;

/** Reads it, and fails when that took too long or ended in anything but an answer. */
async function survives(raw: Uint8Array): Promise<void> {
  const before = process.threadCpuUsage();
  const inbound = await read(raw);
  const { user, system } = process.threadCpuUsage(before);
  expect((user + system) / 1000).toBeLessThan(HANGS_MS);
  for (const one of inbound) {
    expect(one.externalEventId).not.toBe('');
    expect(one.threadKey).not.toBe('');
    expect(() => structuredClone(one)).not.toThrow();
    if (one.kind === 'message') expect(one.sender.address).not.toBe('');
  }
}

const SEEDS = [
  Buffer.from(mail({ html: '<p>Hello <b>there</b></p><blockquote>On Monday you wrote: …</blockquote>' })),
  multipart('alternative', [
    {
      headers: {
        'Content-Type': 'text/plain; charset=utf-8',
        'Content-Transfer-Encoding': 'quoted-printable',
      },
      body: 'Gr=C3=BC=C3=9Fe=\r\n aus Berlin',
    },
    { headers: { 'Content-Type': 'text/html; charset=iso-8859-1' }, body: '<p>Gr\xfc\xdfe</p>' },
  ]),
  multipart('mixed', [
    { headers: { 'Content-Type': 'text/plain' }, body: 'With files' },
    {
      headers: {
        'Content-Type': "image/png; name*=utf-8''a%20b.png",
        'Content-Transfer-Encoding': 'base64',
        'Content-ID': '<a@b>',
      },
      body: 'iVBORw0KGgo=',
    },
    { headers: { 'Content-Type': 'message/rfc822' }, body: mail() },
  ]),
  multipart('report; report-type=delivery-status', [
    { headers: { 'Content-Type': 'text/plain' }, body: 'failed' },
    {
      headers: { 'Content-Type': 'message/delivery-status' },
      body: 'Reporting-MTA: dns; a\r\n\r\nFinal-Recipient: rfc822; a@b.test\r\nAction: failed\r\nStatus: 5.0.0\r\n',
    },
    { headers: { 'Content-Type': 'text/rfc822-headers' }, body: 'Message-ID: <a@b.test>\r\n' },
  ]),
];

interface Mutation {
  at: number;
  kind: 'flip' | 'cut' | 'repeat' | 'insert';
  bytes: Uint8Array;
}

/** Bytes changed, cut out, repeated or put in: what broken programs and broken wires make of a mail. */
function mutated(seed: Buffer, mutations: Mutation[]): Buffer {
  return mutations.reduce((raw, { at, kind, bytes }) => {
    const from = Math.floor(at * raw.length);
    const to = Math.min(raw.length, from + bytes.length);
    const [before, piece, after] = [raw.subarray(0, from), raw.subarray(from, to), raw.subarray(to)];
    if (kind === 'flip') return Buffer.concat([before, bytes.subarray(0, piece.length), after]);
    if (kind === 'cut') return Buffer.concat([before, after]);
    if (kind === 'repeat') return Buffer.concat([before, ...Array(50).fill(piece), after]);
    return Buffer.concat([before, bytes, piece, after]);
  }, seed);
}

const mutations = fc.array(
  fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
    kind: fc.constantFrom('flip' as const, 'cut' as const, 'repeat' as const, 'insert' as const),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
  }),
  { minLength: 1, maxLength: 8 },
);

describe('no mail crashes or hangs the reader', () => {
  it('whatever happens to its bytes on the way', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...SEEDS), mutations, async (seed, changes) =>
        survives(mutated(seed, changes)),
      ),
      { numRuns: 300 },
    );
  }, 60_000);

  it('if it is no mail at all', async () => {
    await fc.assert(fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 3_000 }), survives), {
      numRuns: 150,
    });
  }, 60_000);

  it('whatever stands in its headers', async () => {
    const names = fc.constantFrom(
      'From',
      'To',
      'Cc',
      'Subject',
      'References',
      'In-Reply-To',
      'Content-Type',
      'Message-ID',
      'Date',
      'Authentication-Results',
      'Return-Path',
      'Content-Disposition',
      'Content-Transfer-Encoding',
      'List-Id',
      'DKIM-Signature',
    );
    const value = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({
        unit: fc.constantFrom('<', '>', '@', '"', ',', ';', '=', '?', '(', ')', '\\', 'a', ' ', '+'),
        maxLength: 400,
      }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(names, value), { maxLength: 12 }), async (headers) => {
        const block = headers
          .map(([name, text]) => `${name}: ${text.replace(/[\r\n]+/g, '\r\n ')}\r\n`)
          .join('');
        await survives(Buffer.from(`${block}\r\nbody\r\n`));
      }),
      { numRuns: 200 },
    );
  }, 60_000);

  it.each([
    ['a header of a megabyte', mail({ headers: { 'X-Long': 'x'.repeat(900_000) } })],
    ['100,000 headers', mail().replace('\r\n\r\n', `\r\n${'X-A: b\r\n'.repeat(100_000)}\r\n`)],
    ['50,000 references', mail({ headers: { References: '<a@b.test> '.repeat(50_000) } })],
    ['50,000 recipients', mail({ to: 'a+r@b.test, '.repeat(50_000) })],
    ['a line of 5 MB', mail({ text: 'x'.repeat(5_000_000) })],
    ['a million empty lines', mail({ text: '\n'.repeat(1_000_000) })],
    ['a million quotes', mail({ text: '> a\n'.repeat(250_000) })],
    [
      '3,000 parts',
      multipart(
        'mixed',
        Array.from({ length: 3_000 }, () => ({ headers: { 'Content-Type': 'image/png' }, body: 'x' })),
      ),
    ],
    ['an unclosed tag of a megabyte', mail({ html: `<p ${'a="b" '.repeat(150_000)}` })],
    ['100,000 nested tags', mail({ html: '<b>'.repeat(100_000) })],
    ['encoded words without end', mail({ subject: '=?utf-8?q?a?= '.repeat(30_000) })],
    ['brackets without end', mail({ from: `${'('.repeat(50_000)} <a@b.test>` })],
    ['colons and At signs without end', mail({ to: `${'@:'.repeat(50_000)}` })],
  ])(
    'with %s',
    async (_what, raw) => {
      await survives(Buffer.from(raw as string));
    },
    20_000,
  );

  it('and 25 MB of it take no more memory than a few times its size', async () => {
    const body = 'eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4\r\n'.repeat(
      310_000,
    );
    const raw = multipart('mixed', [
      { headers: { 'Content-Type': 'text/plain' }, body: 'A large file' },
      { headers: { 'Content-Type': 'application/zip', 'Content-Transfer-Encoding': 'base64' }, body },
    ]);
    const before = process.memoryUsage();
    let most = 0;
    const watch = setInterval(() => {
      const { external, heapUsed, arrayBuffers } = process.memoryUsage();
      most = Math.max(
        most,
        external + heapUsed - before.external - before.heapUsed,
        arrayBuffers - before.arrayBuffers,
      );
    }, 5);
    const { attachments } = await message(raw);
    clearInterval(watch);
    expect(attachments?.[0]?.sizeBytes).toBeGreaterThan(17_000_000);
    expect(most).toBeLessThan(4 * raw.length);
  });
});

const PAYLOAD = `"><script>alert(1)</script><img src=x onerror=alert(2)>javascript:alert(3)`;

describe('what a mail carries runs nowhere', () => {
  it('in its html', async () => {
    const evil = [
      '<script>alert(1)</script>',
      '<img src=x onerror=alert(1)>',
      '<svg/onload=alert(1)>',
      '<a href="javascript:alert(1)">click</a>',
      '<a href=" &#106;avascript:alert(1)">click</a>',
      '<iframe src="data:text/html,<script>alert(1)</script>"></iframe>',
      '<div style="background:url(javascript:alert(1));position:fixed">x</div>',
      '<form action="https://evil.test"><input name=password></form>',
      '<base href="https://evil.test"><meta http-equiv=refresh content="0;url=https://evil.test">',
      '<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>',
      '<noscript><p title="</noscript><img src=x onerror=alert(1)>">',
      '<object data="x.swf"></object><embed src="x.swf">',
    ];
    for (const html of evil) {
      const found = await message(mail({ html: `<p>Before</p>${html}<p>After</p>` }));
      expect(found.html, html).not.toMatch(
        /<script|onerror|onload|javascript:|<iframe|<form|<base|<meta|<object|<embed|<svg|position:/i,
      );
    }
  });

  it('in any header: it is text, and stays what it is', async () => {
    const raw = mail({
      from: `"${PAYLOAD.replaceAll('"', '\\"')}" <ada@customer.test>`,
      subject: PAYLOAD,
      text: PAYLOAD,
      headers: {
        'Content-Type': `text/plain; name="${PAYLOAD.replaceAll('"', '')}"`,
        'In-Reply-To': `<${PAYLOAD}>`,
        Cc: `${PAYLOAD} <x@y.test>`,
      },
    });
    const found = await message(raw);
    expect(found.subject).toBe(PAYLOAD);
    expect(found.content).toContain('<script>alert(1)</script>');
    expect(found.html).toBeUndefined();
    expect(found.sender.address).toBe('ada@customer.test');
    expect(found.sender.name).toContain('<script>');
  });

  it('in the name of a file', async () => {
    const raw = multipart('mixed', [
      {
        headers: {
          'Content-Type': 'text/html',
          'Content-Disposition': `attachment; filename="../../${PAYLOAD.replaceAll('"', '')}.html"`,
        },
        body: PAYLOAD,
      },
    ]);
    const found = await message(raw);
    expect(found.attachments).toHaveLength(1);
    expect(found.html).toBeUndefined();
  });
});
