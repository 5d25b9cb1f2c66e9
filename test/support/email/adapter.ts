import { emailAdapter } from '../../../src/channels/email/adapter.ts';
import type { Resolve } from '../../../src/channels/email/authenticate.ts';
import { createAuthenticator } from '../../../src/channels/email/authenticate.ts';
import type { EmailSettings } from '../../../src/channels/email/settings.ts';
import { createTokens } from '../../../src/channels/email/tokens.ts';
import type { Channel } from '../../../src/core/adapter.ts';
import { createEgress } from '../../../src/core/egress.ts';
import type { Inbound, InboundMessage, Receipt } from '../../../src/core/envelope.ts';
import { createSecrets } from '../../../src/core/secrets.ts';

export const CHANNEL_ID = '0198f7a0-0000-7000-8000-00000000000c';

const secrets = createSecrets(['a secret of the tests, long enough']);
const signatures = (text: string) => secrets.signatures('reply', text);

/** Signed addresses as the gateways of the tests make them. */
export const tokens = createTokens(signatures);

const nothing: Resolve = () =>
  Promise.reject(Object.assign(new Error('no such name'), { code: 'ENOTFOUND' }));

/** An adapter without a gateway around it, and what mails mean to it. */
export function emailReader(
  config: Record<string, unknown> = {},
  resolve: Resolve = nothing,
  options: { pollMs?: number } = {},
) {
  const egress = createEgress({ allow: ['127.0.0.0/8'] });
  const adapter = emailAdapter(
    { egress, signatures },
    { ...options, authenticate: createAuthenticator('tributary', resolve) },
  );
  const settings = adapter.settings.parse({
    address: 'support@shop.test',
    smtp: { host: '127.0.0.1', port: 2 },
    inbound_secret: 'a secret of the mail tests',
    ...config,
  });
  const channel: Channel<EmailSettings> = {
    id: CHANNEL_ID,
    businessId: '0198f7a0-0000-7000-8000-00000000000b',
    settings,
  };

  async function read(body: string | Uint8Array, contentType = 'message/rfc822'): Promise<Inbound[]> {
    const request = {
      method: 'POST',
      url: '',
      headers: { 'content-type': contentType },
      body: Buffer.from(body as string),
    };
    return (await adapter.door?.parse(request, channel)) ?? [];
  }

  return {
    adapter,
    channel,
    read,
    async message(body: string | Uint8Array, contentType?: string): Promise<InboundMessage> {
      const found = (await read(body, contentType)).find(({ kind }) => kind === 'message');
      if (found?.kind !== 'message') throw new Error('no message in it');
      return found;
    },
    async receipt(body: string | Uint8Array): Promise<Receipt | undefined> {
      const found = (await read(body)).find(({ kind }) => kind === 'receipt');
      return found?.kind === 'receipt' ? found : undefined;
    },
    async bytes(body: string | Uint8Array, part: string, contentType = 'message/rfc822'): Promise<Buffer> {
      const request = {
        method: 'POST',
        url: '',
        headers: { 'content-type': contentType },
        body: Buffer.from(body as string),
      };
      const download = await adapter.readAttachment?.({ ref: { part } }, request, channel);
      const chunks: Uint8Array[] = [];
      for await (const chunk of download?.body ?? []) chunks.push(chunk);
      return Buffer.concat(chunks);
    },
    close: () => egress.close(),
  };
}
