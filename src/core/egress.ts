import { connect as connectSocket, isIP, type LookupFunction, type Socket } from 'node:net';
import { Agent, buildConnector, type Dispatcher } from 'undici';
import { type AddressRules, createAddressRules } from './egress/address-rules.ts';
import { createLookup, type Lookup } from './egress/lookup.ts';
import { createPortRules, portOf } from './egress/port-rules.ts';
import { openTunnel } from './egress/tunnel.ts';
import { isForbiddenLiteral, type Rules, vetUrl } from './egress/vet-url.ts';

/** The one guard for every address that a tenant, provider or visitor supplies. */
export interface EgressGuard {
  /** For undici: never follows redirects, connects only to vetted addresses. */
  readonly dispatcher: Dispatcher;
  /** The same, showing who we are to servers that ask; closed by whoever opened it. */
  dispatcherAs(identity: TlsIdentity): Dispatcher;
  /** For protocols that are not HTTP (SMTP, IMAP). */
  connect(host: string, port: number): Promise<Socket>;
  /** Throws AppError `validation_error` naming `field` when the URL could never be reached: no http(s), credentials, a private literal. Resolves no name. */
  vetUrl(url: string, field: string): URL;
  /** Lets all connections go, those in use too. */
  close(): Promise<void>;
}

/** A certificate and its key, as PEM. */
export interface TlsIdentity {
  cert: string;
  key: string;
}

/** The address is none that a request of ours may go to. */
export class EgressBlocked extends Error {
  readonly code = 'EGRESS_BLOCKED';

  constructor(host: string, why = 'is not a public address') {
    super(`${host} ${why}`);
    this.name = 'EgressBlocked';
  }
}

const CONNECT_TIMEOUT_MS = 5_000;
const IDLE_MS = 10_000;
const IDLE_MAX_MS = 60_000;
// One host may serve many subscribers: those of one who never answers must leave room for the others'.
const CONNECTIONS_PER_ORIGIN = 1_024;

interface EgressOptions {
  /** CIDRs that may be reached although they are private. */
  allow: readonly string[];
  httpsOnly?: boolean;
  /** The only ports of http(s) addresses; empty: all but those that browsers refuse too. */
  ports?: readonly number[];
  /** A forward proxy for http(s), which is handed addresses that were judged here. */
  proxy?: string | undefined;
  lookup?: Lookup;
}

/** Builds the guard: literals are judged, names are resolved once and the socket goes to exactly the addresses that passed. */
export function createEgress({
  allow,
  proxy,
  lookup = createLookup(),
  ...options
}: EgressOptions): EgressGuard {
  const rules = { ...createAddressRules(allow), ...createPortRules(options) };
  const vetted = vettedLookup(rules, lookup);
  const openDispatcher = (identity?: TlsIdentity) =>
    new Agent({
      connect: guardedConnector({ rules, vetted, proxy, identity }),
      connections: CONNECTIONS_PER_ORIGIN,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MAX_MS,
      pipelining: 1,
    });
  const dispatcher = openDispatcher();
  const sockets = new Set<Socket>();
  return {
    dispatcher,
    dispatcherAs: openDispatcher,
    async connect(host, port) {
      const socket = await openSocket(host, port, { rules, vetted });
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      return socket;
    },
    vetUrl: (url, field) => vetUrl(url, { field, rules }),
    async close() {
      for (const socket of sockets) socket.destroy();
      await dispatcher.destroy();
    },
  };
}

/** What net.connect resolves names with: of what the name answers, only what may be reached. */
function vettedLookup(rules: AddressRules, lookup: Lookup): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname).then(
      (answers) => {
        const usable = answers.filter(({ address }) => rules.permits(address));
        const wanted = usable.filter(({ family }) =>
          [undefined, 0, family].includes(numericFamily(options.family)),
        );
        const [first] = wanted;
        if (first === undefined) callback(new EgressBlocked(hostname), []);
        else if (options.all === true) callback(null, wanted);
        else callback(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => callback(error, []),
    );
  };
}

function numericFamily(family: number | string | undefined): number | undefined {
  return typeof family === 'string' ? Number(family.replace('IPv', '')) : family;
}

interface Connecting {
  rules: Rules;
  vetted: LookupFunction;
  proxy: string | undefined;
  identity: TlsIdentity | undefined;
}

/** undici's connector; it asks no lookup for a literal, so that one is judged here. */
function guardedConnector({ rules, vetted, proxy, identity }: Connecting): buildConnector.connector {
  // HTTP/2 would let one peer multiplex what our own limits count as connections.
  const direct = buildConnector({
    ...identity,
    lookup: vetted,
    timeout: CONNECT_TIMEOUT_MS,
    allowH2: false,
    autoSelectFamily: true,
  });
  const connect = proxy === undefined ? watched(direct, rules) : tunnelled(direct, new URL(proxy), vetted);
  return (options, callback) => {
    const refused = refusal({ ...options, host: options.hostname }, rules);
    if (refused === undefined) connect(options, callback);
    else queueMicrotask(() => callback(refused, null));
  };
}

/** Looks at the peer again once there is one. */
function watched(connect: buildConnector.connector, rules: Rules): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      if (!isAstray(socket, rules)) return callback(null, socket);
      socket.destroy();
      return callback(new EgressBlocked(options.hostname), null);
    });
}

/** The proxy is told the address that was judged, never the name. */
function tunnelled(
  connect: buildConnector.connector,
  proxy: URL,
  vetted: LookupFunction,
): buildConnector.connector {
  return (options, callback) => {
    const { hostname, protocol } = options;
    const port = portOf(protocol, options.port);
    addressOf(hostname, vetted)
      .then((address) => openTunnel(proxy, { address, port, timeoutMs: CONNECT_TIMEOUT_MS }))
      .then(
        (socket) => {
          if (protocol === 'https:') connect({ ...options, httpSocket: socket }, callback);
          else callback(null, socket);
        },
        (error: Error) => callback(error, null),
      );
  };
}

function addressOf(hostname: string, vetted: LookupFunction): Promise<string> {
  if (isIP(hostname) !== 0) return Promise.resolve(hostname);
  return new Promise((resolve, reject) => {
    vetted(hostname, { all: false }, (error, address) =>
      error === null ? resolve(String(address)) : reject(error),
    );
  });
}

function refusal(
  { protocol, host, port }: { protocol: string; host: string; port?: string | number | null },
  rules: Rules,
): EgressBlocked | undefined {
  if (isForbiddenLiteral(host, rules)) return new EgressBlocked(host);
  const why = rules.refusal(protocol, port);
  return why === undefined ? undefined : new EgressBlocked(host, why);
}

/** Destroys a socket that takes too long to connect, or that is connected to an address which may not be reached. */
function watch(socket: Socket, host: string, rules: AddressRules): void {
  const deadline = setTimeout(() => socket.destroy(connectTimeout(host)), CONNECT_TIMEOUT_MS);
  socket.once('close', () => clearTimeout(deadline));
  socket.once('connect', () => {
    clearTimeout(deadline);
    if (isAstray(socket, rules)) socket.destroy(new EgressBlocked(host));
  });
}

/** Whether the peer is none that may be reached; a socket without a peer is closed already and carries nothing. */
function isAstray(socket: Socket, rules: AddressRules): boolean {
  return socket.remoteAddress !== undefined && !rules.permits(socket.remoteAddress);
}

function connectTimeout(host: string): Error {
  return Object.assign(new Error(`no connection to ${host} within ${CONNECT_TIMEOUT_MS} ms`), {
    code: 'ETIMEDOUT',
  });
}

function openSocket(
  host: string,
  port: number,
  { rules, vetted }: { rules: AddressRules; vetted: LookupFunction },
) {
  return new Promise<Socket>((resolve, reject) => {
    if (isForbiddenLiteral(host, rules)) throw new EgressBlocked(host);
    const socket = connectSocket({ host, port, lookup: vetted, autoSelectFamily: true });
    watch(socket, host, rules);
    socket.once('error', reject);
    socket.once('connect', () => {
      if (socket.destroyed) return;
      socket.off('error', reject);
      resolve(socket);
    });
  });
}
