import {
  createHmac,
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign as signEd25519,
} from 'node:crypto';

/** What Standard Webhooks signs: the id and time of the headers, and the exact bytes of the body. */
export interface SignedContent {
  id: string;
  /** Unix seconds of this attempt. */
  timestamp: number;
  body: string;
}

/** Makes one `version,base64` signature. */
export type Signer = (content: SignedContent) => string;

export type SecretKind = 'v1' | 'v1a';

const SYMMETRIC_PREFIX = 'whsec_';
const PRIVATE_PREFIX = 'whsk_';
const PUBLIC_PREFIX = 'whpk_';
const SYMMETRIC_BYTES = 32;
const MIN_SYMMETRIC_BYTES = 24;
const MAX_SYMMETRIC_BYTES = 64;
const SEED_BYTES = 32;
// The DER header that turns a raw ed25519 seed into what node reads.
const PKCS8_HEADER = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A new secret: `whsec_…` for HMAC, `whsk_…` for ed25519. */
export function generateSecret(kind: SecretKind): string {
  if (kind === 'v1') return SYMMETRIC_PREFIX + randomBytes(SYMMETRIC_BYTES).toString('base64');
  const { privateKey } = generateKeyPairSync('ed25519');
  const { d, x } = privateKey.export({ format: 'jwk' });
  return PRIVATE_PREFIX + Buffer.concat([fromBase64Url(d), fromBase64Url(x)]).toString('base64');
}

/** Whether it is a `whsec_…` secret of a length that Standard Webhooks allows. */
export function isSymmetricSecret(text: string): boolean {
  const encoded = /^whsec_(.+)$/.exec(text)?.[1] ?? '';
  const key = Buffer.from(encoded, 'base64');
  // Node forgives what is no base64; receivers in other languages do not.
  const isBase64 = key.toString('base64') === encoded;
  return isBase64 && key.length >= MIN_SYMMETRIC_BYTES && key.length <= MAX_SYMMETRIC_BYTES;
}

/** The `whpk_…` key that receivers verify the signatures of a `whsk_…` secret with. */
export function publicKeyOf(secret: string): string {
  const { x } = createPublicKey(privateKeyOf(secret)).export({ format: 'jwk' });
  return PUBLIC_PREFIX + fromBase64Url(x).toString('base64');
}

/** Prepares a secret of either kind, once for many signatures. */
export function createSigner(secret: string): Signer {
  if (secret.startsWith(PRIVATE_PREFIX)) {
    const key = privateKeyOf(secret);
    return (content) => `v1a,${signEd25519(null, Buffer.from(signedText(content)), key).toString('base64')}`;
  }
  // Made once: from the bytes, making it costs more than the signature.
  const key = createSecretKey(symmetricKeyOf(secret));
  return (content) => `v1,${createHmac('sha256', key).update(signedText(content)).digest('base64')}`;
}

/** The three headers of an attempt; every valid secret signs, so a receiver may still hold an older one. */
export function signatureHeaders(content: SignedContent, signers: readonly Signer[]) {
  return {
    'webhook-id': content.id,
    'webhook-timestamp': String(content.timestamp),
    'webhook-signature': signers.map((sign) => sign(content)).join(' '),
  };
}

function signedText({ id, timestamp, body }: SignedContent): string {
  return `${id}.${timestamp}.${body}`;
}

function symmetricKeyOf(secret: string): Buffer {
  const encoded = secret.startsWith(SYMMETRIC_PREFIX) ? secret.slice(SYMMETRIC_PREFIX.length) : secret;
  return Buffer.from(encoded, 'base64');
}

function privateKeyOf(secret: string): KeyObject {
  const seed = Buffer.from(secret.slice(PRIVATE_PREFIX.length), 'base64').subarray(0, SEED_BYTES);
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEADER, seed]), format: 'der', type: 'pkcs8' });
}

function fromBase64Url(text: string | undefined): Buffer {
  return Buffer.from(text ?? '', 'base64url');
}
