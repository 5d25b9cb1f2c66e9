interface Paragraph {
  depth: number;
  text: string;
  goesOn: boolean;
}

/** The lines of format=flowed as they were before they were wrapped (RFC 3676), each quote by itself. */
export function unflowed(text: string, { delSp }: { delSp: boolean }): string {
  const paragraphs: Paragraph[] = [];
  for (const line of text.split('\n')) {
    const depth = /^>*/.exec(line)?.[0].length ?? 0;
    // The space in front keeps a line from being taken for a quote.
    const words = line.slice(depth).replace(/^ /, '');
    const isSignature = words === '-- ';
    const goesOn = words.endsWith(' ') && !isSignature;
    const piece = goesOn && delSp ? words.slice(0, -1) : words;
    const last = paragraphs.at(-1);
    if (last?.goesOn && last.depth === depth && !isSignature) {
      last.text += piece;
      last.goesOn = goesOn;
    } else paragraphs.push({ depth, text: piece, goesOn });
  }
  return paragraphs
    .map((one) => (one.depth === 0 ? one.text : `${'>'.repeat(one.depth)} ${one.text}`))
    .join('\n');
}
