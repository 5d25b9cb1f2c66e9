declare module 'planer' {
  /** One letter a line: `s` for the head of a quote, `m` for what is quoted, `t` for text, `e` for nothing, `f` for a forward. */
  export function markMessageLines(lines: string[]): string;
  export function extractFrom(body: string, contentType: 'text/plain'): string;
}
