import { timingSafeEqual } from 'node:crypto';
import type { AdapterContext } from '../../core/adapter.ts';
import { fromBase32, toBase32 } from './base32.ts';

/** What an address of ours with a token in it stands for. */
export interface Token {
  kind: 'reply' | 'bounce';
  /** The conversation of a reply, the message of a bounce. */
  id: string;
}

export interface Tokens {
  /** `support+r…@example.com`: a mail to it belongs to this conversation. */
  replyAddress(address: string, conversationId: string): string;
  /** The envelope's sender of one message: where its bounces go. */
  bounceAddress(address: string, messageId: string): string;
  /** The token in an address, when it is one that we signed. */
  read(address: string): Token | undefined;
}

const LETTERS = { reply: 'r', bounce: 'b' } as const;
const MAC_BYTES = 10;
const LONGEST_LOCAL_PART = 64;
const WITH_TOKEN = /^(.+)\+([rb])([a-z2-7]{26})([a-z2-7]{16})@([^@]+)$/;

/** Addresses that name a conversation or a message of ours, signed, so that nobody can make one up. */
export function createTokens(signatures: AdapterContext['signatures']): Tokens {
  function mint(kind: Token['kind'], address: string, id: string): string {
    const at = address.lastIndexOf('@');
    const [local, domain] = [address.slice(0, at), address.slice(at + 1)];
    const [mac] = macs(signatures, { kind, id, address });
    const signed = `${local}+${LETTERS[kind]}${toBase32(bytesOf(id))}${toBase32(mac ?? Buffer.alloc(0))}`;
    // Longer ones are refused by mail servers; the headers of a reply still tell where it belongs.
    return signed.length > LONGEST_LOCAL_PART ? address : `${signed}@${domain}`;
  }

  return {
    replyAddress: (address, conversationId) => mint('reply', address, conversationId),
    bounceAddress: (address, messageId) => mint('bounce', address, messageId),
    read(address) {
      const [, local, letter, id, mac, domain] = WITH_TOKEN.exec(address.trim().toLowerCase()) ?? [];
      if (letter === undefined || id === undefined || mac === undefined) return undefined;
      const kind = letter === LETTERS.reply ? 'reply' : 'bounce';
      const token: Token = { kind, id: uuidOf(fromBase32(id)) };
      const given = fromBase32(mac);
      const genuine = macs(signatures, { ...token, address: `${local}@${domain}` });
      return genuine.some((one) => timingSafeEqual(one, given)) ? token : undefined;
    },
  };
}

/** The address without the part behind its plus, where that is a token of ours or anything else. */
export function withoutTag(address: string): string {
  return address.replace(/^([^+@]+)\+[^@]*@/, '$1@');
}

function macs(
  signatures: AdapterContext['signatures'],
  { kind, id, address }: Token & { address: string },
): Buffer[] {
  return signatures(`${kind} ${id} ${address.toLowerCase()}`).map((signature) =>
    Buffer.from(signature, 'base64url').subarray(0, MAC_BYTES),
  );
}

function bytesOf(uuid: string): Buffer {
  return Buffer.from(uuid.replaceAll('-', ''), 'hex');
}

function uuidOf(bytes: Buffer): string {
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
