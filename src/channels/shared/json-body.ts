import { AppError } from '../../core/errors.ts';

/** The JSON in a request's body; anything that is no JSON, or nests as nothing that a provider sends, is malformed. */
export function readBody(body: Uint8Array): unknown {
  const text = decode(body);
  if (nestsTooDeep(text)) throw malformed('nests too deep');
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed('is no JSON', error);
  }
}

/** The one error that reading a request may end in. */
export function malformed(why: string, cause?: unknown): AppError {
  return new AppError('invalid_request', `The body ${why}.`, { cause });
}

/** The text of a body; bytes that are no UTF-8 are malformed. */
export function decode(body: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (error) {
    throw malformed('is no UTF-8', error);
  }
}

const DEEPEST = 64;

// What is kept raw is written as JSON again, and JSON.stringify overflows the stack where JSON.parse does not.
function nestsTooDeep(text: string): boolean {
  if (text.split(/[[{]/, DEEPEST + 2).length <= DEEPEST) return false;
  let depth = 0;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{}]/gs)) {
    if (token === '[' || token === '{') depth++;
    else if (token === ']' || token === '}') depth--;
    if (depth > DEEPEST) return true;
  }
  return false;
}
