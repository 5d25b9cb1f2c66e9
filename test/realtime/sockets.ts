import { io, type Socket } from 'socket.io-client';
import { until } from '../support/until.ts';

export interface Heard {
  event: string;
  payload: Record<string, unknown>;
}

/** A client that keeps every frame it hears, in order. */
export interface TestSocket {
  socket: Socket;
  heard: Heard[];
  /** Payloads of one event so far. */
  of(event: string): Record<string, unknown>[];
  /** The first payload of an event that fits, heard already or yet to come. */
  next(event: string, fits?: (payload: Record<string, unknown>) => boolean): Promise<Record<string, unknown>>;
  ask(event: string, payload?: unknown): Promise<Record<string, unknown>>;
  close(): void;
}

export interface Options {
  transports?: ('websocket' | 'polling')[];
  headers?: Record<string, string>;
}

const open = new Set<Socket>();

/** Connects; resolves once the server is ready for it, and rejects with the refusal of the handshake. */
export async function connect(
  url: string,
  auth: Record<string, unknown>,
  { transports = ['websocket'], headers = {} }: Options = {},
): Promise<TestSocket> {
  const socket = io(url, { auth, transports, extraHeaders: headers, forceNew: true, reconnection: false });
  open.add(socket);
  const heard: Heard[] = [];
  socket.onAny((event: string, payload: Record<string, unknown>) => heard.push({ event, payload }));
  const of = (event: string) => heard.filter((it) => it.event === event).map((it) => it.payload);
  const client: TestSocket = {
    socket,
    heard,
    of,
    async next(event, fits = () => true) {
      await until(() => of(event).some(fits));
      return of(event).find(fits) as Record<string, unknown>;
    },
    ask: (event, payload) => socket.timeout(30_000).emitWithAck(event, payload),
    close: () => void socket.disconnect(),
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('ready', () => resolve());
    socket.once('connect_error', reject);
  });
  return client;
}

/** The refusal that a handshake gets. */
export async function refusal(
  url: string,
  auth: Record<string, unknown>,
  options?: Options,
): Promise<{ message: string; code: string }> {
  try {
    await connect(url, auth, options);
  } catch (error) {
    const { message, data } = error as Error & { data: { code: string } };
    return { message, code: data.code };
  }
  throw new Error('the handshake was not refused');
}

/** Closes whatever a test left open. */
export function closeAll(): void {
  for (const socket of open) socket.disconnect();
  open.clear();
}

/** Time for what should not come to come. */
export function quiet(ms = 400): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
