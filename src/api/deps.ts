import type { HttpBindings } from '@hono/node-server';
import type { Actor } from '../core/actor.ts';
import type { ChannelRegistry } from '../core/adapter.ts';
import type { Attachments } from '../core/attachments.ts';
import type { Channels } from '../core/channels.ts';
import type { Config } from '../core/config.ts';
import type { Pool } from '../core/database/connect.ts';
import type { Transact } from '../core/database/transact.ts';
import type { EgressGuard } from '../core/egress.ts';
import type { RateLimits } from '../core/limits.ts';
import type { Log } from '../core/log.ts';
import type { WriteReply } from '../core/messages/replies.ts';
import type { Receiver } from '../core/receive.ts';
import type { Secrets } from '../core/secrets.ts';
import type { Wake } from '../core/wake.ts';
import type { FanOutOptions } from '../webhooks/fanout.ts';
import type { Claim } from './claim.ts';
import type { Metrics } from './metrics.ts';

/** What the routes may use, built once by the gateway. */
export interface ApiDeps {
  config: Config;
  pool: Pool;
  transact: Transact;
  secrets: Secrets;
  registry: ChannelRegistry;
  channels: Channels;
  receiver: Receiver;
  wake: Wake;
  rateLimits: RateLimits;
  log: Log;
  attachments: Attachments;
  writeReply: WriteReply;
  egress: EgressGuard;
  /** The addresses that payloads of webhooks carry. */
  payloads: FanOutOptions;
  metrics: Metrics;
  isReady(): boolean;
  /** Shows the typing of somebody on our side to the sockets of the conversation; may be lost. */
  publishTyping?(typing: {
    businessId: string;
    conversationId: string;
    userId: string;
    isTyping: boolean;
  }): void;
}

/** What answers for the health of a process. */
export type OperationDeps = Pick<ApiDeps, 'pool' | 'config' | 'isReady' | 'log' | 'metrics'>;

/** What a request carries on its way through the app. */
export interface ApiEnv {
  Bindings: Partial<HttpBindings>;
  Variables: {
    requestId: string;
    clientIp: string | undefined;
    /** The request comes from this machine itself. */
    isLocal: boolean;
    /** Who asks; set on every route that needs a key. */
    actor: Actor;
    /** Runs the effect of this request in one transaction, together with its Idempotency-Key when it has one. */
    transact: Transact;
    /** The use of an Idempotency-Key that this request makes. */
    claim: Claim | undefined;
  };
}
