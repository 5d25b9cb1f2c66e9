import { createPublicKey, verify } from 'node:crypto';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Webhook as SvixWebhook } from 'svix';
import { describe, expect, it } from 'vitest';
import { createSigner, generateSecret, publicKeyOf, signatureHeaders } from '../../src/webhooks/sign.ts';

const CONTENT = {
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  timestamp: 1614265330,
  body: '{"test": 2432232314}',
};
const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';
const PRIVATE =
  'whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg==';
const PUBLIC = 'whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=';

describe('signatures', () => {
  it('equal the published vectors', () => {
    expect(createSigner(SECRET)(CONTENT)).toBe('v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=');
    expect(createSigner(PRIVATE)(CONTENT)).toBe(
      'v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg==',
    );
    expect(publicKeyOf(PRIVATE)).toBe(PUBLIC);
  });

  it('are accepted by the two public verifiers, beside others in the same header', () => {
    const [mine, older, asymmetric] = [generateSecret('v1'), generateSecret('v1'), generateSecret('v1a')];
    const content = { id: 'evt-1', timestamp: Math.floor(Date.now() / 1000), body: '{"text":"gruß 👋"}' };
    const headers = signatureHeaders(content, [older, asymmetric, mine].map(createSigner));
    for (const secret of [mine, older]) {
      expect(new StandardWebhook(secret).verify(content.body, headers)).toEqual({ text: 'gruß 👋' });
      expect(() => new SvixWebhook(secret).verify(content.body, headers)).not.toThrow();
    }
    expect(() => new StandardWebhook(generateSecret('v1')).verify(content.body, headers)).toThrow();
    expect(() => new SvixWebhook(mine).verify(`${content.body} `, headers)).toThrow();
  });

  it('of a generated ed25519 secret verify with its public key alone', () => {
    const secret = generateSecret('v1a');
    const x = Buffer.from(publicKeyOf(secret).slice('whpk_'.length), 'base64').toString('base64url');
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
    const [, signature] = createSigner(secret)(CONTENT).split(',');
    const text = Buffer.from(`${CONTENT.id}.${CONTENT.timestamp}.${CONTENT.body}`);
    expect(verify(null, text, key, Buffer.from(signature ?? '', 'base64'))).toBe(true);
  });
});

describe('secrets', () => {
  it('are 32 random bytes behind their prefix', () => {
    const secret = generateSecret('v1');
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(generateSecret('v1')).not.toBe(secret);
  });
});
