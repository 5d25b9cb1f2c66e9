import { join } from 'node:path';
import { createApp, createHealthApp } from './api/app.ts';
import { createMetrics } from './api/metrics.ts';
import type { SmtpReceiver, SmtpReceiverOptions } from './channels/email/smtp-receiver.ts';
import { createRegistry } from './channels/registry.ts';
import { createAiLane } from './core/ai/lane.ts';
import { startAiReader } from './core/ai/reader.ts';
import { startCounting } from './core/analytics/count.ts';
import { createFetchLane } from './core/attachments/fetch.ts';
import { createFiles } from './core/attachments/files.ts';
import { openStorage } from './core/attachments/open-storage.ts';
import { createAttachments } from './core/attachments.ts';
import { startAutomation } from './core/automation/reader.ts';
import { startCatchUp } from './core/channels/catch-up.ts';
import { startConnecting } from './core/channels/connecting.ts';
import { createChannels } from './core/channels.ts';
import type { Config } from './core/config.ts';
import { startAsking } from './core/csat/ask.ts';
import { createBlockList } from './core/customers/block-list.ts';
import { openDatabase } from './core/database/open.ts';
import { keepPartitions } from './core/database/retention.ts';
import { createTransact } from './core/database/transact.ts';
import { type FanOut, startDispatcher } from './core/dispatch.ts';
import { createEgress } from './core/egress.ts';
import { createEventFeed } from './core/events/event-feed.ts';
import { createPlace } from './core/events/place.ts';
import { startGreeter } from './core/greeter.ts';
import { createIngest } from './core/ingest.ts';
import { startLanes } from './core/lanes.ts';
import { createRateLimits } from './core/limits.ts';
import { startListeners } from './core/listeners.ts';
import type { Log } from './core/log.ts';
import { startCanceler } from './core/messages/cancel-on-reply.ts';
import { createReplies } from './core/messages/replies.ts';
import { openQueue } from './core/queue.ts';
import { createReceiver } from './core/receive.ts';
import { startRotation } from './core/rotate-secrets.ts';
import { startIndexing } from './core/search/index-events.ts';
import { loadSecretKeys } from './core/secret-key.ts';
import { checkSecretKey, createSecrets } from './core/secrets.ts';
import { createSendLane } from './core/send.ts';
import { createSlots } from './core/slots.ts';
import { type FirstRun, prepareFirstRun } from './core/start/first-run.ts';
import { startAssigner } from './core/team/assigner.ts';
import { startUpkeep } from './core/upkeep.ts';
import { createWake } from './core/wake.ts';
import { createRealtime, type Realtime } from './realtime/server.ts';
import { listen } from './server.ts';
import { createAsk } from './webhooks/ask.ts';
import { createDeliverLane } from './webhooks/deliver.ts';
import { fanOut } from './webhooks/fanout.ts';
import { createHandOver } from './webhooks/hand-over.ts';
import { createPayloadUrls } from './webhooks/payload-urls.ts';

export interface Gateway {
  /** Where this process listens; undefined for a worker whose port was taken. */
  url: string | undefined;
  /** Where this process takes mail; undefined where it takes none. */
  smtpPort: number | undefined;
  /** What the first start made, shown once. */
  firstRun: FirstRun | undefined;
  /** Drains and closes everything, in reverse. */
  stop(): Promise<void>;
}

type Close = () => Promise<unknown>;

const CONNECTIONS = 16;
// A lane that waits for an endpoint's answer costs next to nothing, and must not keep the others from being worked.
const LANES_AT_ONCE = 1_000;

/** Builds every part once and starts those of the configured role. Throws what keeps it from starting, with nothing left open. */
export async function startGateway(config: Config, log: Log): Promise<Gateway> {
  const opened: Close[] = [];
  const closeAll = () => closeInReverse(opened, log);
  try {
    const gateway = await assemble(config, log, (close) => opened.push(close));
    return { ...gateway, stop: () => gateway.drain().then(closeAll) };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

type CloseLater = (close: Close) => void;

async function assemble(config: Config, log: Log, closeLater: CloseLater) {
  const parts = await buildParts(config, log, closeLater);
  if (config.role !== 'api') await startLaneWork(parts, closeLater);
  closeLater(parts.ingest.close);
  const firstRun = await prepareFirstRun(parts);
  let isReady = false;
  const url = await serve({ ...parts, isReady: () => isReady }, closeLater);
  const smtpPort = config.role === 'api' ? undefined : await startReading(parts, closeLater);
  isReady = true;

  return {
    url,
    smtpPort,
    firstRun,
    /** Balancers look elsewhere before anything closes. */
    async drain() {
      isReady = false;
      if (config.drainDelayMs > 0) await new Promise((resolve) => setTimeout(resolve, config.drainDelayMs));
    },
  };
}

type Parts = Awaited<ReturnType<typeof buildParts>>;

/** What earlier parts call in later ones. */
interface Late {
  url: string | undefined;
  wakeQueue(laneKeys: readonly string[]): Promise<void>;
  showTyping: Realtime['showCustomerTyping'];
}

async function buildParts(config: Config, log: Log, closeLater: CloseLater) {
  const database = await openDatabase(config, log, { max: CONNECTIONS });
  const { pool } = database;
  closeLater(database.close);
  const secretKeys = await loadSecretKeys(config);
  const secrets = createSecrets(secretKeys);
  await checkSecretKey(pool, secrets);
  if (secretKeys.length > 1) closeLater(startRotation(pool, secrets, log).stop);
  closeLater((await keepPartitions(pool, config.retentionDays, log)).stop);

  const wake = await createWake(config.redis, log);
  closeLater(wake.close);
  const queue = await openQueue({ redis: config.redis, databaseUrl: database.url, log });
  closeLater(queue.close);
  const rateLimits = createRateLimits(config.redis, log);
  closeLater(rateLimits.close);

  const late: Late = { url: undefined, wakeQueue: queue.wake, showTyping: () => {} };
  const wakeQueue = (laneKeys: readonly string[]) => late.wakeQueue(laneKeys);
  // A worker serves nobody but its health check: what it sends must lead to PUBLIC_URL.
  const publicUrl = () => config.publicUrl ?? (config.role === 'worker' ? undefined : late.url);
  const egress = createEgress(config.egress);
  closeLater(egress.close);
  const registry = createRegistry({ egress, signatures: (text) => secrets.signatures('reply', text) });
  const transact = createTransact(pool, wake);
  const base = { config, pool, transact, secrets, registry, wake, egress, publicUrl, log };
  const channels = createChannels(base);
  const storage = await openStorage(config);
  closeLater(async () => storage.close());
  const files = createFiles({ storage, incoming: join(config.dataDir, 'files', 'incoming') });
  const attachments = createAttachments({ pool, secrets, files, baseUrl: () => publicUrl() ?? '' });
  const feed = createEventFeed();
  const payloads = createPayloadUrls({ attachments, secrets, baseUrl: publicUrl });
  const handOver = createHandOver();
  const fan: FanOut = (tx, events) => fanOut(tx, events, { ...payloads, handOver });
  const place = createPlace({ wake, fanOut: fan, feed, wakeQueue });
  const turns = createSlots(1);
  const ingest = createIngest({ ...base, place, turns });
  const showTyping: Late['showTyping'] = (typing) => late.showTyping(typing);
  const blockList = createBlockList(pool, wake);
  const receiver = createReceiver({ ...base, channels, ingest, blockList, showTyping });
  const writeReply = createReplies({ ...base, place, turns, attachments, channels });
  const placing = { turns, handOver, fanOut: fan, queue, wakeQueue, ingest, feed };
  const serving = { rateLimits, payloads, metrics: createMetrics(pool), policy: config.webhooks };
  return { ...base, ...placing, ...serving, channels, attachments, receiver, writeReply, late };
}

/** Sends, delivers, fetches and asks, one lane each, and gives events their order. */
async function startLaneWork(parts: Parts, closeLater: CloseLater): Promise<void> {
  const { config, egress, metrics, attachments, late } = parts;
  const deliverLane = createDeliverLane({ ...parts, onAttempt: metrics.countAttempt });
  const aiLane = createAiLane({ ...parts, ask: createAsk({ egress }) });
  const kinds = [createSendLane(parts), createFetchLane(parts), deliverLane, aiLane];
  const lanes = await startLanes({ ...parts, kinds, concurrency: LANES_AT_ONCE });
  closeLater(lanes.stop);
  late.wakeQueue = lanes.wake;
  closeLater(
    startUpkeep({
      ...parts,
      files: attachments.files,
      retentionDays: config.retentionDays,
      messageDays: config.messageDays,
      attachmentDays: config.attachmentDays,
    }).stop,
  );
  closeLater(startDispatcher({ ...parts, lanes }).stop);
}

/** HTTP and sockets; of a worker only its health. Resolves with where it listens. */
async function serve(
  parts: Parts & { isReady(): boolean },
  closeLater: CloseLater,
): Promise<string | undefined> {
  const { config, log, late } = parts;
  const isWorker = config.role === 'worker';
  const realtime = createRealtime(parts);
  late.showTyping = realtime.showCustomerTyping;
  const apiDeps = { ...parts, publishTyping: realtime.announceTyping };
  const app = isWorker ? createHealthApp(apiDeps) : createApp(apiDeps);
  const attach = isWorker ? undefined : realtime.attach;
  const server = await listen(app.fetch, { config, log, attach }).catch(async (error: unknown) => {
    await realtime.close();
    throw error;
  });
  late.url = server?.url;
  if (server !== undefined) closeLater(server.close);
  // Before the server, which waits for its sockets.
  if (!isWorker) closeLater(realtime.close);
  return late.url;
}

/** All that reads by itself: sources of messages, and what follows the events. Resolves with the port that takes mail. */
async function startReading(parts: Parts, closeLater: CloseLater): Promise<number | undefined> {
  const { config } = parts;
  closeLater(startListeners(parts).stop);
  const smtp = config.smtp && (await listenForMail({ ...config.smtp, ...parts }));
  if (smtp !== undefined) closeLater(smtp.stop);
  closeLater(startConnecting(parts).stop);
  closeLater(startAiReader(parts).stop);
  closeLater(startAssigner(parts).stop);
  closeLater(startCanceler(parts).stop);
  closeLater(startAutomation({ ...parts, writing: parts }).stop);
  closeLater(startGreeter({ ...parts, writing: parts }).stop);
  closeLater(startCounting(parts).stop);
  closeLater(startIndexing(parts).stop);
  closeLater(startAsking(parts).stop);
  closeLater(startCatchUp(parts).stop);
  return smtp?.port;
}

/** Who has no SMTP_PORT need not load what speaks SMTP. */
async function listenForMail(options: SmtpReceiverOptions): Promise<SmtpReceiver> {
  const { startSmtpReceiver } = await import('./channels/email/smtp-receiver.ts');
  return startSmtpReceiver(options);
}

/** To the end: one part that fails to close keeps none of the others open. */
async function closeInReverse(opened: Close[], log: Log): Promise<void> {
  for (const close of opened.splice(0).reverse()) {
    await close().catch((error) => log.error({ err: error }, 'closing failed'));
  }
}
