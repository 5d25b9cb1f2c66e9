import { connect as connectSocket, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

/** The operator's proxy did not let us through: it says nothing about whom we wanted to reach. */
class ProxyFailed extends Error {
  readonly code = 'EGRESS_PROXY';

  constructor(why: string) {
    super(`the egress proxy ${why}`);
    this.name = 'ProxyFailed';
  }
}

interface Tunnel {
  /** The very address, already judged: the proxy resolves nothing. */
  address: string;
  port: number;
  timeoutMs: number;
}

const MAX_ANSWER_BYTES = 8_192;
const BLANK_LINE = '\r\n\r\n';

/** A connection to an address through a forward proxy (HTTP CONNECT). */
export function openTunnel(proxy: URL, { address, port, timeoutMs }: Tunnel): Promise<Socket> {
  const socket = connectTo(proxy);
  return new Promise<Socket>((resolve, reject) => {
    let answer = Buffer.alloc(0);
    const deadline = setTimeout(() => fail(`does not answer within ${timeoutMs} ms`), timeoutMs);
    const onError = (error: Error) => fail(`cannot be reached: ${error.message}`);
    const onEnd = () => fail('hung up');

    function settle(): void {
      clearTimeout(deadline);
      socket.off('error', onError).off('end', onEnd).off('data', onData);
    }

    function fail(why: string): void {
      settle();
      socket.on('error', () => {}).destroy();
      reject(new ProxyFailed(why));
    }

    function onData(chunk: Buffer): void {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf(BLANK_LINE);
      if (end !== -1) conclude(end);
      else if (answer.length > MAX_ANSWER_BYTES) fail('answers without end');
    }

    function conclude(end: number): void {
      const status = /^HTTP\/1\.[01] (\d{3})/.exec(answer.toString('latin1'))?.[1] ?? 'no status';
      if (status.startsWith('2')) open(answer.subarray(end + BLANK_LINE.length));
      else fail(`answers ${status}`);
    }

    function open(rest: Buffer): void {
      settle();
      socket.pause();
      if (rest.length > 0) socket.unshift(rest);
      resolve(socket);
    }

    socket.on('error', onError).on('end', onEnd).on('data', onData);
    socket.write(question(proxy, `${isIPv6(address) ? `[${address}]` : address}:${port}`));
  });
}

function connectTo({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'https:') return connectTls({ host, port: Number(port || 443), servername: host });
  return connectSocket({ host, port: Number(port || 80) });
}

function question({ username, password }: URL, target: string): string {
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  const authorization =
    username === '' ? '' : `Proxy-Authorization: Basic ${Buffer.from(credentials).toString('base64')}\r\n`;
  return `CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${authorization}\r\n`;
}
