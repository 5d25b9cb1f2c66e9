/** Judges schemes and ports: whether a request to a URL that somebody gave us may use them. */
export interface PortRules {
  /** Why not, in words; undefined when it may. */
  refusal(protocol: string, port: string | number | null | undefined): string | undefined;
}

interface PortOptions {
  httpsOnly?: boolean;
  ports?: readonly number[];
}

/** Without ports of the operator's own, all but those where no web server is found and other protocols would misread us. */
export function createPortRules({ httpsOnly = false, ports = [] }: PortOptions): PortRules {
  return {
    refusal(protocol, given) {
      if (httpsOnly && protocol !== 'https:') return 'must begin with https://';
      const port = portOf(protocol, given);
      const permitted = ports.length === 0 ? !isReserved(port) : ports.includes(port);
      return permitted ? undefined : `must not use port ${port}`;
    },
  };
}

/** The port of an address, that of its scheme where it names none. */
export function portOf(protocol: string, port: string | number | null | undefined): number {
  if (port !== '' && port !== null && port !== undefined) return Number(port);
  return protocol === 'https:' ? 443 : 80;
}

function isReserved(port: number): boolean {
  return RESERVED.has(port);
}

// The ports that fetch refuses (WHATWG Fetch, "port blocking").
const RESERVED: ReadonlySet<number> = new Set([
  0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104,
  109, 110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 465, 512, 513, 514, 515,
  526, 530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1719, 1720, 1723, 2049,
  3659, 4045, 4190, 5060, 5061, 6000, 6566, 6665, 6666, 6667, 6668, 6669, 6679, 6697, 10080,
]);
