import type { Attachments } from '../core/attachments.ts';
import type { Channels } from '../core/channels.ts';
import type { Config } from '../core/config.ts';
import type { Pool } from '../core/database/connect.ts';
import type { Transact } from '../core/database/transact.ts';
import type { EgressGuard } from '../core/egress.ts';
import type { EventFeed } from '../core/events/event-feed.ts';
import type { IpRange } from '../core/ip-range.ts';
import type { RateLimits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { Receiver } from '../core/receive.ts';
import type { Secrets } from '../core/secrets.ts';
import type { Wake } from '../core/wake.ts';
import type { Gate } from './gate.ts';
import type { RealtimeLimits } from './limits.ts';
import type { Frame } from './protocol.ts';
import type { Registry } from './registry.ts';
import type { RealtimeServer } from './socket.ts';

/** What the gateway gives the sockets. */
export interface RealtimeDeps {
  config: Pick<Config, 'redis' | 'trustedProxies'>;
  pool: Pool;
  transact: Transact;
  secrets: Secrets;
  channels: Pick<Channels, 'load'>;
  receiver: Pick<Receiver, 'accept'>;
  wake: Wake;
  rateLimits: Pick<RateLimits, 'consume'>;
  attachments: Pick<Attachments, 'mintUrls' | 'idOfUrl'>;
  egress: Pick<EgressGuard, 'vetUrl'>;
  feed: EventFeed;
  log: Log;
  limits?: Partial<RealtimeLimits>;
}

/** What every socket's handlers share. */
export interface RealtimeContext extends Omit<RealtimeDeps, 'limits'> {
  io: RealtimeServer;
  limits: RealtimeLimits;
  trusted: IpRange[];
  /** Sockets by client address. */
  crowd: Registry<string>;
  /** Sockets by business: only the events of these are read. */
  businesses: Registry<string>;
  /** Plain WebSockets, by business. */
  live: Registry<LivePeer>;
  /** Gates of agents' sockets that are held, by business. */
  heldAgents: Registry<Gate>;
  /** Visitors' sockets, by their rooms and by channel. */
  visitors: Registry<VisitorPeer>;
  /** Work that a stop waits for. */
  track(work: Promise<void>): void;
}

/** Somebody at a plain WebSocket. */
export interface LivePeer {
  readonly apiKeyId: string;
  send(text: string): void;
  /** Closes it because its key has ended. */
  end(): void;
}

export interface VisitorPeer {
  pass(frame: Frame): void;
}
