import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  hkdfSync,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import type { Pool } from './database/connect.ts';

/** Where a ciphertext belongs: it opens nowhere else. */
export interface Scope {
  businessId: string;
  rowId: string;
  field: string;
}

/** What a signature is for: one made for a purpose is worth nothing for another. */
export type Label = 'visitor' | 'file' | 'reply' | 'cursor' | 'demo' | 'upload' | 'csat';

export interface Secrets {
  encrypt(plain: string, scope: Scope): Buffer;
  /** Opens what any of the keys encrypted; throws when it was bound to another scope. */
  decrypt(cipher: Uint8Array, scope: Scope): string;
  /** Whether the newest key encrypted it. */
  isCurrent(cipher: Uint8Array): boolean;
  sign(label: Label, text: string): string;
  /** The signature by each of the keys, the newest first. */
  signatures(label: Label, text: string): string[];
  verify(label: Label, text: string, signature: string): boolean;
  /** The text with its signature, as one URL-safe token. */
  seal(label: Label, text: string): string;
  /** The text of a token that was sealed for the same purpose; undefined for any other. */
  open(label: Label, token: string): string | undefined;
}

/** Encrypts and signs with the first key, opens and verifies with any. */
export function createSecrets(keys: string[]): Secrets {
  const all = keys.map(deriveKey);
  const [newest] = all;
  if (!newest) throw new Error('SECRET_KEY is missing.');

  const verify = (label: Label, text: string, signature: string) =>
    all.some((key) => equal(Buffer.from(signature, 'base64url'), hmac(key, label, text)));

  return {
    encrypt: (plain, scope) => encryptWith(newest, plain, scope),
    decrypt: (cipher, scope) => decryptWith(keyOf(all, cipher), cipher, scope),
    isCurrent: (cipher) => newest.id.equals(cipher.subarray(0, KEY_ID_BYTES)),
    sign: (label, text) => hmac(newest, label, text).toString('base64url'),
    signatures: (label, text) => all.map((key) => hmac(key, label, text).toString('base64url')),
    verify,
    seal: (label, text) =>
      `${Buffer.from(text).toString('base64url')}.${hmac(newest, label, text).toString('base64url')}`,
    open(label, token) {
      const [payload = '', signature = '', ...rest] = token.split('.');
      const text = Buffer.from(payload, 'base64url').toString();
      return rest.length === 0 && verify(label, text, signature) ? text : undefined;
    },
  };
}

/** Refuses to go on with another key than the database was written with; a rotation is remembered. */
export async function checkSecretKey(pool: Pool, secrets: Secrets): Promise<void> {
  const fresh = secrets.encrypt('tributary', CHECK_SCOPE);
  await pool`
    insert into settings (key, value) values (${CHECK_SCOPE.rowId}, ${fresh.toString('base64')})
    on conflict do nothing`;
  const [row] = await pool<{ value: string }[]>`select value from settings where key = ${CHECK_SCOPE.rowId}`;
  const stored = Buffer.from(row?.value ?? '', 'base64');
  try {
    secrets.decrypt(stored, CHECK_SCOPE);
  } catch (cause) {
    throw new Error('SECRET_KEY is not the key that this database was written with.', { cause });
  }
  if (secrets.isCurrent(stored)) return;
  await pool`update settings set value = ${fresh.toString('base64')} where key = ${CHECK_SCOPE.rowId}`;
}

export const KEY_ID_BYTES = 4;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CHECK_SCOPE: Scope = { businessId: '', rowId: 'secret_key_check', field: 'value' };

interface Key {
  id: Buffer;
  encryption: Buffer;
  signing(label: Label): Buffer;
}

function deriveKey(secret: string): Key {
  const signing = new Map<Label, Buffer>();
  return {
    id: subkey(secret, 'key id').subarray(0, KEY_ID_BYTES),
    encryption: subkey(secret, 'encryption'),
    signing(label) {
      const key = signing.get(label) ?? subkey(secret, `signing ${label}`);
      signing.set(label, key);
      return key;
    },
  };
}

function subkey(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, 'tributary', purpose, 32));
}

function hmac(key: Key, label: Label, text: string): Buffer {
  return createHmac('sha256', key.signing(label)).update(text).digest();
}

function equal(given: Buffer, expected: Buffer): boolean {
  return given.length === expected.length && timingSafeEqual(given, expected);
}

// key id, nonce, ciphertext, tag
function encryptWith(key: Key, plain: string, scope: Scope): Buffer {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv('aes-256-gcm', key.encryption, nonce).setAAD(boundTo(scope));
  return Buffer.concat([key.id, nonce, cipher.update(plain, 'utf8'), cipher.final(), cipher.getAuthTag()]);
}

function decryptWith(key: Key, sealed: Uint8Array, scope: Scope): string {
  const nonce = sealed.subarray(KEY_ID_BYTES, KEY_ID_BYTES + NONCE_BYTES);
  const decipher = createDecipheriv('aes-256-gcm', key.encryption, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(scope)).setAuthTag(sealed.subarray(-TAG_BYTES));
  const text = sealed.subarray(KEY_ID_BYTES + NONCE_BYTES, -TAG_BYTES);
  return Buffer.concat([decipher.update(text), decipher.final()]).toString();
}

function keyOf(keys: Key[], cipher: Uint8Array): Key {
  const key = keys.find(({ id }) => id.equals(cipher.subarray(0, KEY_ID_BYTES)));
  if (!key) throw new Error('Encrypted with a key that is not in SECRET_KEY.');
  return key;
}

function boundTo({ businessId, rowId, field }: Scope): Buffer {
  return Buffer.from(JSON.stringify([businessId, rowId, field]));
}
