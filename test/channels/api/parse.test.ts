import { expect, it } from 'vitest';
import { parse } from '../../../src/channels/api/parse.ts';

it('refuses a body that nests deeper than anything that can be kept', () => {
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  const item = `{"external_id":"in-1","sender":{"external_id":"ada"},"content":"Hi","metadata":${deep}}`;
  expect(() => parse({ body: Buffer.from(item) })).toThrow(/nests too deep/);
});
