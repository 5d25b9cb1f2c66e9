import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/core/log.ts';

function written(fields: object): string {
  const lines: string[] = [];
  createLog('info', { write: (line) => void lines.push(line) }).info(fields, 'something happened');
  return lines.join('');
}

describe('the log', () => {
  it('hides what slipped in and must not be there', () => {
    const line = written({
      token: 'hush',
      channel: { secrets: 'hush', password: 'hush' },
      headers: { authorization: 'hush', 'x-api-key': 'hush' },
      message: { content: 'hush' },
    });
    expect(line).not.toContain('hush');
    expect(line).toContain('[secret]');
  });

  it.each(['err', 'error'])('keeps the stack of an error given as %s', (name) => {
    expect(written({ [name]: new Error('broken') })).toContain('log.test.ts');
  });
});
