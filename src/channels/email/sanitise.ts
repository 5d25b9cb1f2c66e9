import sanitize from 'sanitize-html';
import { tame } from './quoting/tame.ts';

interface SanitiseOptions {
  /** Which attachment of the mail a `cid:` address means. */
  cid(contentId: string): number | undefined;
  /** Whether images may be fetched from where the sender put them, which tells the sender that and where a mail is read. */
  remote: 'blocked' | 'allowed';
}

/**
 * A mail's HTML without anything that runs, phones home or reaches out of its place. Images of the mail itself become
 * `attachment:POSITION`; those of elsewhere keep their address in `data-remote-src` unless they are allowed.
 */
export function sanitiseHtml(html: string, options: SanitiseOptions): string {
  return sanitize(tame(html), {
    allowedTags: TAGS,
    allowedAttributes: ATTRIBUTES,
    allowedStyles: { '*': STYLES },
    allowedSchemes: ['http', 'https', 'mailto', 'tel'],
    allowedSchemesByTag: { img: ['http', 'https', 'data', 'attachment'] },
    allowProtocolRelative: false,
    nonTextTags: [
      'script',
      'style',
      'textarea',
      'option',
      'title',
      'noscript',
      'template',
      'svg',
      'math',
      'iframe',
      'object',
    ],
    nestingLimit: DEEPEST,
    enforceHtmlBoundary: false,
    transformTags: {
      a: (tagName, attribs) => ({
        tagName,
        attribs: { ...attribs, target: '_blank', rel: 'noopener noreferrer nofollow' },
      }),
      img: (tagName, attribs) => ({ tagName, attribs: image(attribs, options) }),
      center: 'div',
    },
    exclusiveFilter: ({ tag, attribs }) => tag === 'img' && isUseless(attribs),
  }).trim();
}

const DEEPEST = 100;
const TAGS = (
  'a abbr b bdi bdo blockquote br caption cite code col colgroup dd del details div dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 ' +
  'hr i img ins kbd li mark ol p pre q s samp small span strike strong sub summary sup table tbody td tfoot th thead tr tt u ul var wbr'
).split(' ');
const ATTRIBUTES = {
  '*': ['dir', 'lang', 'style', 'align', 'valign', 'title'],
  a: ['href', 'target', 'rel'],
  img: ['src', 'alt', 'width', 'height', 'data-remote-src'],
  font: ['color', 'size', 'face'],
  table: ['border', 'cellpadding', 'cellspacing', 'width', 'bgcolor'],
  td: ['colspan', 'rowspan', 'width', 'height', 'bgcolor'],
  th: ['colspan', 'rowspan', 'width', 'height', 'bgcolor'],
  col: ['width', 'span'],
  ol: ['start', 'type'],
};

const COLOUR = /^(#[0-9a-f]{3,8}|[a-z]{3,20}|rgba?\([\d\s.,%]{1,40}\))$/i;
const LENGTH = /^(-?\d{1,4}(\.\d{1,4})?(px|pt|em|rem|ex|%|cm|mm|in)?|auto|0)$/i;
const LENGTHS = /^((\d{1,4}(\.\d{1,4})?(px|pt|em|rem|ex|%|cm|mm|in)?|auto)\s*){1,4}$/i;
const BORDER = /^[\w\s#.,()%-]{1,60}$/;
const WORDS = /^[a-z-]{1,20}$/i;
/** Nothing that names an address (`url(…)`), and nothing that takes a mail out of its place (`position`). */
const STYLES: Record<string, RegExp[]> = {
  color: [COLOUR],
  'background-color': [COLOUR],
  'font-family': [/^[\w\s,'"-]{1,200}$/],
  'font-size': [LENGTH, WORDS],
  'font-weight': [/^(\d{3}|[a-z]{4,7})$/],
  'font-style': [WORDS],
  'line-height': [LENGTH, WORDS],
  'text-align': [WORDS],
  'text-decoration': [/^[a-z\s-]{1,40}$/i],
  'text-indent': [LENGTH],
  'vertical-align': [WORDS],
  'white-space': [WORDS],
  direction: [/^(ltr|rtl)$/],
  width: [LENGTH],
  'max-width': [LENGTH],
  height: [LENGTH],
  margin: [LENGTHS],
  'margin-left': [LENGTH],
  'margin-right': [LENGTH],
  'margin-top': [LENGTH],
  'margin-bottom': [LENGTH],
  padding: [LENGTHS],
  'padding-left': [LENGTH],
  'padding-right': [LENGTH],
  'padding-top': [LENGTH],
  'padding-bottom': [LENGTH],
  border: [BORDER],
  'border-left': [BORDER],
  'border-top': [BORDER],
  'border-right': [BORDER],
  'border-bottom': [BORDER],
  'border-collapse': [WORDS],
  'list-style-type': [WORDS],
};

const PICTURE = /^data:image\/(png|jpe?g|gif|webp);base64,[a-z0-9+/=\s]*$/i;

function image(
  { src = '', 'data-remote-src': _given, ...attribs }: Record<string, string>,
  { cid, remote }: SanitiseOptions,
): Record<string, string> {
  const address = src.trim();
  if (/^cid:/i.test(address)) {
    const position = cid(contentIdOf(address));
    return position === undefined ? attribs : { ...attribs, src: `attachment:${position}` };
  }
  if (PICTURE.test(address)) return { ...attribs, src: address };
  if (!/^https?:\/\//i.test(address)) return attribs;
  return remote === 'allowed' ? { ...attribs, src: address } : { ...attribs, 'data-remote-src': address };
}

function contentIdOf(address: string): string {
  const id = address.slice('cid:'.length).replace(/^<|>$/g, '');
  try {
    return decodeURIComponent(id);
  } catch {
    return id;
  }
}

/** An image that shows nothing: without an address and words, or the single pixel that counts readers. */
function isUseless(attribs: Record<string, string>): boolean {
  const shows = attribs['src'] !== undefined || attribs['data-remote-src'] !== undefined;
  const isPixel = /^[01](px)?$/.test(attribs['width'] ?? '') || /^[01](px)?$/.test(attribs['height'] ?? '');
  return shows ? isPixel && !attribs['src']?.startsWith('attachment:') : (attribs['alt'] ?? '') === '';
}
