import ipaddr from 'ipaddr.js';
import { type IpAddress, type IpRange, isWithin, parseRange } from '../ip-range.ts';

/** Judges single addresses: whether a request to a URL that somebody gave us may go there. */
export interface AddressRules {
  permits(address: string): boolean;
}

/** The rules with the operator's exceptions; a malformed CIDR is refused by name. */
export function createAddressRules(allow: readonly string[]): AddressRules {
  const exceptions = allow.map(parseException);
  return {
    permits(text) {
      if (!ipaddr.isValid(text)) return false;
      const address = embedded(ipaddr.parse(text));
      return isWithin(address, exceptions) || isPublic(address);
    },
  };
}

function parseException(text: string): IpRange {
  try {
    return parseRange(text);
  } catch (error) {
    throw new Error(`EGRESS_ALLOW: ${text} is neither an address nor a CIDR`, { cause: error });
  }
}

/** IPv4-mapped and NAT64 addresses lead to the IPv4 address inside them: that one is judged. */
function embedded(address: IpAddress): IpAddress {
  if (address instanceof ipaddr.IPv4) return address;
  if (address.isIPv4MappedAddress()) return address.toIPv4Address();
  if (isWithin(address, [NAT64])) return new ipaddr.IPv4(address.toByteArray().slice(12));
  return address;
}

function isPublic(address: IpAddress): boolean {
  if (address instanceof ipaddr.IPv4) return !isWithin(address, PRIVATE_V4);
  return isWithin(address, [GLOBAL_UNICAST]) && !isWithin(address, PRIVATE_V6);
}

const NAT64 = ipaddr.parseCIDR('64:ff9b::/96');

// IANA's special-purpose registry, multicast and reserved space; clouds keep their metadata services inside it.
const PRIVATE_V4 = [
  '0.0.0.0/8',
  '10.0.0.0/8',
  '100.64.0.0/10',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // Azure's metadata and DNS, the one that hides in public space.
  '168.63.129.16/32',
].map((cidr) => ipaddr.parseCIDR(cidr));

// Everything outside it is loopback, link-local, unique-local, multicast, site-local, discard or unassigned.
const GLOBAL_UNICAST = ipaddr.parseCIDR('2000::/3');
const PRIVATE_V6 = ['2001::/23', '2001:db8::/32', '2002::/16', '3fff::/20'].map((cidr) =>
  ipaddr.parseCIDR(cidr),
);
