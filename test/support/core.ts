import { createRegistry } from '../../src/channels/registry.ts';
import type { ChannelRegistry } from '../../src/core/adapter.ts';
import { createChannels } from '../../src/core/channels.ts';
import { createBlockList } from '../../src/core/customers/block-list.ts';
import type { Pool } from '../../src/core/database/connect.ts';
import { createTransact } from '../../src/core/database/transact.ts';
import { createEgress, type EgressGuard } from '../../src/core/egress.ts';
import { createIngest } from '../../src/core/ingest.ts';
import { createLog } from '../../src/core/log.ts';
import { createReceiver } from '../../src/core/receive.ts';
import { createSecrets } from '../../src/core/secrets.ts';
import { createSlots } from '../../src/core/slots.ts';
import { createWake } from '../../src/core/wake.ts';
import { placeQuietly } from './place.ts';

interface CoreOptions {
  egress?: Parameters<typeof createEgress>[0];
  publicUrl?: string | undefined;
  /** Other adapters than those of the registry. */
  adapters?: (egress: EgressGuard) => ChannelRegistry;
}

/** All that receives and stores, on a database of the test's own; nothing is sent or delivered. */
export async function startCore(
  pool: Pool,
  { egress: rules = { allow: [] }, publicUrl, adapters }: CoreOptions = {},
) {
  const log = createLog(process.env['TEST_LOG_LEVEL'] ?? 'silent');
  const secrets = createSecrets(['a secret of the tests, long enough']);
  const wake = await createWake(undefined, log);
  const transact = createTransact(pool, wake);
  const egress = createEgress(rules);
  const signatures = (text: string) => secrets.signatures('reply', text);
  const registry = adapters?.(egress) ?? createRegistry({ egress, signatures });
  const parts = { pool, transact, secrets, registry, wake, egress, log };
  const channels = createChannels({ ...parts, publicUrl: () => publicUrl });
  const placing = { place: placeQuietly(wake), turns: createSlots(1) };
  const ingest = createIngest({ ...parts, ...placing });
  const receiver = createReceiver({ ...parts, channels, ingest, blockList: createBlockList(pool, wake) });

  async function stop(): Promise<void> {
    await ingest.close();
    await egress.close();
    await wake.close();
  }
  return { ...parts, channels, placing, receiver, stop };
}
