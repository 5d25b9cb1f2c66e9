import { attribute } from './tame.ts';

/** What mail programs say of a piece of a mail by its markup: `rest` is a quote that begins here and goes on to the end. */
export type Mark = 'quote' | 'signature' | 'rest';

interface Marker {
  client: string;
  mark: Mark;
  element?: string;
  /** What an attribute has to look like. */
  has: Record<string, RegExp>;
}

/**
 * By these the programs can be told. Where a program puts each quoted piece into a block quote, only that is named here and
 * not the frame around them: answers are written between the pieces.
 */
const MARKERS: Marker[] = [
  { client: 'Gmail', mark: 'quote', element: 'blockquote', has: { class: /\bgmail_quote\b/ } },
  { client: 'Gmail', mark: 'quote', has: { class: /\bgmail_attr\b/ } },
  { client: 'Gmail', mark: 'signature', has: { class: /\bgmail_signature(_prefix)?\b/ } },
  {
    client: 'Apple Mail, Thunderbird, Proton, Fastmail',
    mark: 'quote',
    element: 'blockquote',
    has: { type: /^cite$/i },
  },
  {
    client: 'Apple Mail',
    mark: 'signature',
    has: { id: /^(AppleMailSignature|lineBreakAtBeginningOfSignature)$/ },
  },
  { client: 'Thunderbird', mark: 'quote', has: { class: /\bmoz-cite-prefix\b/ } },
  { client: 'Thunderbird', mark: 'signature', has: { class: /\bmoz-signature\b/ } },
  {
    client: 'Outlook',
    mark: 'rest',
    has: { id: /^(x_)*(divRplyFwdMsg|mail-editor-reference-message-container|OLK_SRC_BODY_SECTION)$/ },
  },
  { client: 'Outlook', mark: 'rest', element: 'a', has: { name: /^_MailOriginal$/ } },
  {
    client: 'Outlook',
    mark: 'rest',
    element: 'div',
    has: { style: /border-top:\s*solid\s+#(b5c4df|e1e1e1)\s+1\.0pt.*padding:\s*3\.0pt/is },
  },
  {
    client: 'Windows Mail',
    mark: 'rest',
    element: 'div',
    has: { style: /border-top-color:\s*rgb\(229, 229, 229\).*border-top-style:\s*solid/is },
  },
  {
    client: 'Outlook',
    mark: 'signature',
    has: { id: /^(x_)*(Signature|ms-outlook-mobile-signature|ms-outlook-mobile-body-separator-line)$/ },
  },
  { client: 'Exchange', mark: 'rest', has: { name: /^messageReplySection$/ } },
  { client: 'Yahoo', mark: 'quote', has: { class: /\byahoo_quoted\b/ } },
  {
    client: 'Yahoo',
    mark: 'signature',
    has: { class: /\b(ymail_android_signature|ydp\w*signature|yahoo-signature)\b/ },
  },
  { client: 'Yahoo', mark: 'signature', has: { id: /^ymail_android_signature$/ } },
  { client: 'Proton', mark: 'signature', has: { class: /\bprotonmail_signature_block\b/ } },
  { client: 'Zoho', mark: 'quote', element: 'blockquote', has: { id: /^blockquote_zmail$/ } },
  { client: 'Zoho', mark: 'signature', has: { id: /^Zm-_Id_-Sgn\d*$/ } },
  { client: 'Zimbra', mark: 'rest', has: { 'data-marker': /^__(DIVIDER|HEADERS|QUOTED_TEXT)__$/ } },
  { client: 'Zimbra', mark: 'signature', has: { 'data-marker': /^__SIG_(PRE|POST)__$/ } },
  { client: 'GMX, WEB.DE', mark: 'quote', element: 'div', has: { name: /^quote$/ } },
  { client: 'mail.ru', mark: 'signature', has: { 'data-signature-widget': /^container$/ } },
  { client: 'QQ Mail', mark: 'signature', element: 'sign', has: {} },
  { client: 'QQ Mail', mark: 'rest', element: 'includetail', has: {} },
  { client: 'NetEase', mark: 'quote', has: { id: /^isReplyContent$/ } },
  { client: 'NetEase', mark: 'signature', has: { id: /^ntes-pcmail-signature$/ } },
  { client: 'Roundcube', mark: 'quote', has: { id: /^reply-intro$/ } },
  { client: 'Roundcube', mark: 'signature', has: { id: /^_rc_sig$/ } },
  { client: 'Spark', mark: 'signature', has: { name: /^messageSignatureSection$/ } },
  { client: 'Front', mark: 'quote', element: 'blockquote', has: { class: /\bfront-blockquote\b/ } },
  { client: 'Front', mark: 'signature', has: { class: /\bfront-signature\b/ } },
  { client: 'Airmail', mark: 'quote', has: { class: /\bairmail_on\b/ } },
  { client: 'Airmail', mark: 'signature', has: { class: /\b(bloop_sign|am_signature)\b|^bloop_sign/ } },
  { client: 'Airmail', mark: 'signature', has: { id: /^bloop_(sign|customfont)/ } },
  { client: 'Newton', mark: 'rest', has: { id: /^cm_replymail_(content_wrap|ios)$/ } },
  { client: 'Newton', mark: 'signature', has: { id: /^cm_(footer|signature)$/ } },
  { client: 'Samsung', mark: 'signature', has: { id: /^composer_signature$/ } },
  { client: 'eM Client', mark: 'quote', element: 'blockquote', has: { class: /\bcite2?\b/ } },
  { client: 'Superhuman', mark: 'signature', has: { class: /\bsh-signature\b/ } },
  { client: 'HEY', mark: 'quote', element: 'blockquote', has: { class: /\bhey_quote\b/ } },
  { client: 'Avast, AVG', mark: 'signature', has: { id: /^DAB4FAD8-2DD7-40BB-A1B8-4E2AA1F9FDF2$/i } },
  { client: 'Tributary', mark: 'quote', has: { class: /\btributary_quote\b/ } },
];

/** What the program that wrote the mail says of this element. */
export function markOf(element: string, attributes: Record<string, string>): Mark | undefined {
  const marker = MARKERS.find((one) => {
    if (one.element !== undefined && one.element !== element) return false;
    return Object.entries(one.has).every(
      ([name, pattern]) => name in attributes && pattern.test(attribute(attributes, name)),
    );
  });
  return marker?.mark;
}
