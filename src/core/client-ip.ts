import ipaddr from 'ipaddr.js';
import { type IpRange, isWithin } from './ip-range.ts';

interface Hops {
  peer: string | undefined;
  forwardedFor: string | undefined;
}

/** The client's address: X-Forwarded-For counts only as far as trusted proxies wrote it. */
export function clientAddress({ peer, forwardedFor }: Hops, trusted: readonly IpRange[]): string | undefined {
  if (peer === undefined) return undefined;
  if (forwardedFor === undefined) return normalised(peer);
  const forwarded = forwardedFor.split(',').map((text) => text.trim());
  let client: string | undefined;
  // From our own peer backwards; the first address that no trusted proxy vouches for is the client.
  for (const address of [...forwarded.filter((text) => text !== ''), peer].reverse()) {
    if (!ipaddr.isValid(address)) return client;
    client = ipaddr.process(address).toString();
    if (!isWithin(ipaddr.process(address), trusted)) return client;
  }
  return client;
}

// Nearly every request comes from one of few peers, over connections that are kept open.
const known = new Map<string, { text: string | undefined; isLoopback: boolean }>();
const KNOWN_ADDRESSES = 1_000;

function look(address: string) {
  const found = known.get(address);
  if (found !== undefined) return found;
  const parsed = ipaddr.isValid(address) ? ipaddr.process(address) : undefined;
  const facts = { text: parsed?.toString(), isLoopback: parsed?.range() === 'loopback' };
  if (known.size === KNOWN_ADDRESSES) known.clear();
  known.set(address, facts);
  return facts;
}

function normalised(address: string): string | undefined {
  return look(address).text;
}

/** Whether the address is this machine itself. */
export function isLoopback(address: string | undefined): boolean {
  return address !== undefined && look(address).isLoopback;
}
