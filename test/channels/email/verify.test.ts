import { createHmac } from 'node:crypto';
import { expect, it } from 'vitest';
import { verify } from '../../../src/channels/email/verify.ts';

const SECRET = 'a secret of the channel';

function posted(fields: Record<string, string>): boolean {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const body = Buffer.from(new URLSearchParams(fields).toString());
  const channel = { id: 'c', businessId: 'b', settings: { inbound_secret: SECRET } };
  return verify({ method: 'POST', url: '', headers, body }, channel as never);
}

function signed(key: string): Record<string, string> {
  const [timestamp, token] = [String(Math.floor(Date.now() / 1000)), 'a token+/='];
  const signature = createHmac('sha256', key)
    .update(timestamp + token)
    .digest('hex');
  return { subject: 'timestamp=1&token=x', timestamp, token, 'body-plain': 'Hi', signature };
}

it('knows what Mailgun has signed in a form without files, wherever it stands', () => {
  expect(posted(signed(SECRET))).toBe(true);
  expect(posted(signed('another secret'))).toBe(false);
  expect(posted({ ...signed(SECRET), token: 'another' })).toBe(false);
  expect(posted({ subject: 'Hi' })).toBe(false);
});
