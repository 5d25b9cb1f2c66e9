import { readConfig, type WebhookPolicy } from '../../../src/core/config.ts';
import type { Pool } from '../../../src/core/database/connect.ts';
import { createTransact } from '../../../src/core/database/transact.ts';
import type { Lookup } from '../../../src/core/egress/lookup.ts';
import { createEgress } from '../../../src/core/egress.ts';
import type { EventRow, EventType } from '../../../src/core/events.ts';
import { newId } from '../../../src/core/id.ts';
import type { Lease } from '../../../src/core/lanes.ts';
import { createLog } from '../../../src/core/log.ts';
import { createSecrets } from '../../../src/core/secrets.ts';
import { createWake } from '../../../src/core/wake.ts';
import { createDeliverLane } from '../../../src/webhooks/deliver.ts';
import { createEndpoint, type NewEndpoint } from '../../../src/webhooks/endpoints.ts';
import { endpointLane, fanOut } from '../../../src/webhooks/fanout.ts';
import { createHandOver } from '../../../src/webhooks/hand-over.ts';
import { createTestDatabase } from '../../support/database.ts';

export type Bench = Awaited<ReturnType<typeof openBench>>;

/** A database with one business, and what is needed to work its endpoints' lanes by hand. */
export async function openBench(
  overrides: Partial<WebhookPolicy> & { lookup?: Lookup; allow?: string[] } = {},
) {
  const database = await createTestDatabase();
  const { pool } = database;
  const log = createLog('silent');
  const wake = await createWake(undefined, log);
  const { lookup, allow = ['127.0.0.0/8'], ...changes } = overrides;
  const egress = createEgress({ allow, ...(lookup === undefined ? {} : { lookup }) });
  const policy = { ...readConfig({}).webhooks, ...changes };
  const secrets = createSecrets(['a secret of the tests, long enough']);
  const transact = createTransact(pool, wake);
  const handOver = createHandOver();
  const lane = createDeliverLane({
    pool,
    transact,
    secrets,
    egress,
    log,
    policy,
    handOver,
    lingerMs: 0,
  });
  const businessId = newId();
  await pool`insert into businesses (id, name) values (${businessId}, 'Acme')`;
  let seq = 0;

  function build(count: number, fields: Partial<EventRow> = {}): EventRow[] {
    return Array.from({ length: count }, () => {
      seq += 1;
      return buildEvent({ business_id: businessId, seq, ...fields });
    });
  }

  return {
    pool,
    secrets,
    egress,
    lane,
    policy,
    businessId,

    endpoint: (url: string, fields: Partial<NewEndpoint> = {}) =>
      pool.begin((tx) =>
        createEndpoint(
          tx,
          { businessId, url, events: ['*'], dialect: 'native', ...fields },
          { secrets, egress },
        ),
      ),

    /** Hands events to the fan-out as the dispatcher does. */
    async publish(count: number, fields: Partial<EventRow> = {}): Promise<EventRow[]> {
      const events = build(count, fields);
      await pool.begin((tx) => fanOut(tx, events));
      return events;
    },
    /** The same, and what comes after the commit; resolves with the lanes that are to be woken. */
    publishedLanes: async (count: number) =>
      (await pool.begin((tx) => fanOut(tx, build(count), { handOver })))(),

    /** Works an endpoint's lane once, as its holder. */
    async work(endpointId: string, lease?: TestLease): Promise<Date | null> {
      const held = lease ?? (await takeLease(pool, endpointLane(endpointId)));
      return lane.work(endpointId, held);
    },
    lease: (endpointId: string) => takeLease(pool, endpointLane(endpointId)),

    deliveries: (endpointId: string) => pool`
      select * from deliveries where endpoint_id = ${endpointId} order by created_at, event_seq`,
    attempts: (deliveryId: string) => pool`
      select * from attempts where subject_id = ${deliveryId} order by started_at, id`,
    /** Makes what waits for its next try due now, and ends a pause. */
    async hasten(endpointId: string): Promise<void> {
      await pool`update deliveries set next_attempt_at = now() where endpoint_id = ${endpointId} and status = 'pending'`;
      await pool`update webhook_endpoints set paused_until = now() where id = ${endpointId} and paused_until is not null`;
    },

    async close() {
      await egress.close();
      await wake.close();
      await database.drop();
    },
  };
}

export interface TestLease extends Lease {
  draining: boolean;
  ring(): void;
  abort(): void;
}

async function takeLease(pool: Pool, key: string): Promise<TestLease> {
  const token = newId();
  await pool`
    insert into lanes (key, lease_token, lease_expires_at) values (${key}, ${token}, now() + interval '1 minute')
    on conflict (key) do update set lease_token = excluded.lease_token, due_at = null`;
  const controller = new AbortController();
  let bell = Promise.withResolvers<void>();
  return {
    key,
    token,
    signal: controller.signal,
    draining: false,
    woken: () => bell.promise,
    abort: () => controller.abort(),
    ring() {
      bell.resolve();
      bell = Promise.withResolvers();
    },
  };
}

function buildEvent(fields: Partial<EventRow> & { business_id: string }): EventRow {
  const now = new Date();
  return {
    seq: 1,
    id: newId(),
    type: 'message.received' satisfies EventType,
    conversation_id: null,
    customer_id: null,
    message_id: null,
    data: {},
    caused_by: null,
    occurred_at: now,
    created_at: now,
    ...fields,
  };
}
