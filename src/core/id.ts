import { randomFillSync } from 'node:crypto';
import { v7 } from 'uuid';

/** A new id: UUIDv7, so ids sort by time of creation. */
export function newId(): string {
  return v7({ random: randomBytes16() });
}

/** Before every id there is; nobody's. */
export const NO_ID = '00000000-0000-0000-0000-000000000000';

/** No id that was made at this time or later is smaller. */
export function firstIdAt(time: Date): string {
  return v7({ msecs: time.getTime(), seq: 0, random: new Uint8Array(16) });
}

// Asking the system for 16 bytes at a time costs more than all the rest of an id.
const pool = new Uint8Array(4_096);
let used = pool.length;

function randomBytes16(): Uint8Array {
  if (used === pool.length) {
    randomFillSync(pool);
    used = 0;
  }
  used += 16;
  return pool.subarray(used - 16, used);
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** Whether the text may be asked of a uuid column; an id of any other shape is simply not found. */
export function isUuid(text: string): boolean {
  return UUID.test(text);
}
