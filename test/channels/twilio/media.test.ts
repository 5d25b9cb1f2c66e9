import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { AttachmentRef } from '../../../src/core/envelope.ts';
import { type Line, OURS, startLine, THEIRS } from './line.ts';

let line: Line;
beforeEach(async () => {
  line = await startLine();
});
afterEach(() => line.close());

const BYTES = Buffer.from('the bytes of a photo');

async function refOf(missing = 0): Promise<AttachmentRef> {
  const media = [{ contentType: 'image/jpeg', bytes: BYTES, missing }];
  const { message } = await line.twilio.receive({ from: THEIRS, to: OURS, media });
  const { url, account } = line.twilio;
  const path = `/2010-04-01/Accounts/${account.sid}/Messages/${message.sid}/Media/${message.media[0]?.sid}`;
  return { ref: { url: url + path }, contentType: 'image/jpeg' };
}

async function fetched(ref: AttachmentRef): Promise<Buffer> {
  const signal = new AbortController().signal;
  const file = await line.sms.fetchAttachment?.(ref, line.channels.sms, signal);
  const chunks: Uint8Array[] = [];
  for await (const chunk of file?.body ?? []) chunks.push(chunk);
  return Buffer.concat(chunks);
}

it('shows its credentials to Twilio, and to nobody whom Twilio points to', async () => {
  expect(await fetched(await refOf())).toEqual(BYTES);
  const { account_sid, auth_token } = line.channels.sms.settings;
  const basic = `Basic ${Buffer.from(`${account_sid}:${auth_token}`).toString('base64')}`;
  expect(line.twilio.mediaRequests).toEqual([
    { host: 'twilio', authorization: basic },
    { host: 'cdn', authorization: undefined },
  ]);
});

it('opens files with the account’s token where messages go by an API key', async () => {
  Object.assign(line.channels.sms.settings, {
    api_key_sid: `SK${'a'.repeat(32)}`,
    api_key_secret: 'secret-of-the-key',
  });
  expect(await fetched(await refOf())).toEqual(BYTES);
});

it('waits for a file that is not there yet', async () => {
  expect(await fetched(await refOf(2))).toEqual(BYTES);
  expect(line.twilio.mediaRequests.map(({ host }) => host)).toEqual(['twilio', 'twilio', 'twilio', 'cdn']);
});

it('fails for now when the file stays away, so that it is tried again later', async () => {
  await expect(fetched(await refOf(9))).rejects.toThrow('HTTP 404');
});

it('shows its credentials to no other host that a message names', async () => {
  const seen: (string | undefined)[] = [];
  const stranger = createServer((request, response) => {
    seen.push(request.headers.authorization);
    response.end(BYTES);
  });
  await new Promise<void>((resolve) => stranger.listen(0, '127.0.0.1', resolve));
  const { port } = stranger.address() as AddressInfo;
  expect(await fetched({ ref: { url: `http://127.0.0.1:${port}/file` } })).toEqual(BYTES);
  expect(seen).toEqual([undefined]);
  stranger.closeAllConnections();
  await new Promise<void>((resolve) => stranger.close(() => resolve()));
});

it('goes to no address that is private, however Twilio’s message names it', async () => {
  for (const url of ['http://10.0.0.1/x', 'http://169.254.169.254/latest/meta-data', 'file:///etc/passwd'])
    await expect(fetched({ ref: { url } }), url).rejects.toThrow();
});
