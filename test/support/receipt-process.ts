// A process that notes what became of messages, as the lane that sent them or as the door that hears of them.
import { connect } from '../../src/core/database/connect.ts';
import { createTransact } from '../../src/core/database/transact.ts';
import { createLog } from '../../src/core/log.ts';
import { applyReceipt, partSent } from '../../src/core/messages/receipts.ts';
import { createWake } from '../../src/core/wake.ts';

const { databaseUrl, channelId, messageIds, side } = JSON.parse(process.argv[2] ?? '{}');
const pool = connect(databaseUrl, { max: 25 });
const wake = await createWake(undefined, createLog('silent'));
const transact = createTransact(pool, wake);
await pool`select 1`;
process.stdout.write('ready\n');
await new Promise((resolve) => process.stdin.once('data', resolve));
await Promise.all(
  messageIds.map(async (messageId: string) => {
    const externalId = `at-provider-${messageId}`;
    await transact<unknown>((tx) =>
      side === 'lane'
        ? partSent(tx, {
            channelId,
            messageId,
            generation: 1,
            n: 0,
            externalIds: [externalId],
            status: 'sent',
          })
        : applyReceipt(tx, { channelId, externalId, status: 'delivered', error: null, at: new Date() }),
    );
  }),
);
await pool.end();
process.exit(0);
