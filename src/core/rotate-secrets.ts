import type { Pool } from './database/connect.ts';
import type { Log } from './log.ts';
import { KEY_ID_BYTES, type Secrets } from './secrets.ts';

/** Where ciphertexts live on; the scope of each is its business, its id and the field. */
const ENCRYPTED = [
  { table: 'channels', column: 'secrets', field: 'secrets' },
  { table: 'attachments', column: 'source', field: 'source' },
  { table: 'endpoint_secrets', column: 'secret', field: 'endpoint_secret' },
  { table: 'webhook_endpoints', column: 'headers', field: 'headers' },
  { table: 'webhook_endpoints', column: 'client_key', field: 'client_key' },
  { table: 'ai_hooks', column: 'secret', field: 'ai_secret' },
] as const;
type Encrypted = (typeof ENCRYPTED)[number];

const BATCH = 500;

/**
 * Encrypts with the newest key what an older one encrypted, beside all other work, so that the older one may leave SECRET_KEY
 * afterwards. Every process does so: one that started later may have gone on with the older key until then.
 */
export function startRotation(pool: Pool, secrets: Secrets, log: Log): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const rotation = rotateSecrets(pool, secrets, stopping.signal).then(
    (result) => log.info(result, stopping.signal.aborted ? 'secrets rotated in part' : 'secrets rotated'),
    (error) => log.error({ err: error }, 'secrets could not be rotated: the next start tries again'),
  );
  return {
    stop() {
      stopping.abort();
      return rotation;
    },
  };
}

async function rotateSecrets(pool: Pool, secrets: Secrets, stopping: AbortSignal) {
  const result = { rotated: 0, unreadable: 0 };
  for (const column of ENCRYPTED) {
    for await (const rows of staleRows(pool, column, secrets)) {
      for (const row of rows) result[await rotate(pool, column, { row, secrets })] += 1;
      if (stopping.aborted) return result;
    }
  }
  return result;
}

interface SealedRow {
  id: string;
  business_id: string;
  sealed: Buffer;
}

async function* staleRows(pool: Pool, { table, column }: Encrypted, secrets: Secrets) {
  const current = secrets.encrypt('', { businessId: '', rowId: '', field: '' }).subarray(0, KEY_ID_BYTES);
  const owner =
    table === 'endpoint_secrets'
      ? pool`(select business_id from webhook_endpoints where id = endpoint_id)`
      : pool`business_id`;
  for (let after: string | null = null; ; ) {
    const rows: SealedRow[] = await pool<SealedRow[]>`
      select id, ${owner} as business_id, ${pool(column)} as sealed from ${pool(table)}
      where substring(${pool(column)} from 1 for ${KEY_ID_BYTES}) <> ${current}
        and (${after}::uuid is null or id > ${after}::uuid)
      order by id limit ${BATCH}`;
    const last = rows.at(-1);
    if (last === undefined) return;
    yield rows;
    after = last.id;
  }
}

interface Rotation {
  row: SealedRow;
  secrets: Secrets;
}

async function rotate(
  pool: Pool,
  { table, column, field }: Encrypted,
  { row, secrets }: Rotation,
): Promise<'rotated' | 'unreadable'> {
  const scope = { businessId: row.business_id, rowId: row.id, field };
  let plain: string;
  try {
    plain = secrets.decrypt(row.sealed, scope);
  } catch {
    return 'unreadable';
  }
  // Only while nobody changed it meanwhile.
  await pool`
    update ${pool(table)} set ${pool(column)} = ${secrets.encrypt(plain, scope)}
    where id = ${row.id} and ${pool(column)} = ${row.sealed}`;
  return 'rotated';
}
