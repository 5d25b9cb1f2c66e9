import { MailParser } from 'mailparser';
import { unflowed } from './flowed.ts';

// Turning HTML to text and linking it is done elsewhere, guarded: here it throws on deep HTML.
const OPTIONS = {
  skipHtmlToText: true,
  skipImageLinks: true,
  skipTextToHtml: true,
  skipTextLinks: true,
  keepDeliveryStatus: true,
  ignoreEmbedded: true,
};

/** What the library knows of a part before it decides what to make of it. */
interface Node {
  contentType: string | false;
  disposition: string | false;
  filename: string | false;
  flowed: boolean;
  delSp: boolean;
}

/** The library's parser, but for two things that it gets wrong. */
export function createParser() {
  const parser = new MailParser(OPTIONS) as MailParser & { createNode(node: Node): unknown };
  const createNode = parser.createNode.bind(parser);
  let hasText = false;
  let flow: { delSp: boolean } | undefined;
  parser.createNode = (node) => {
    const isText = /^text\/(plain|html)$/.test(node.contentType || 'text/plain');
    // It reads on in text files that are shown with a mail, which nobody sees beside HTML: they are files.
    if (isText && hasText && node.disposition === 'inline' && node.filename) node.disposition = 'attachment';
    // It joins the lines of a quote with their marks.
    if (node.flowed && node.contentType !== 'text/html') flow = { delSp: node.delSp };
    node.flowed = false;
    hasText ||= isText;
    return createNode(node);
  };
  return {
    parser,
    unflowed: (text: string | undefined) => (text && flow ? unflowed(text, flow) : text),
  };
}
