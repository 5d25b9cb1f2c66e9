import type { Pool } from '../../src/core/database/connect.ts';
import { type EventRow, readEvents } from '../../src/core/events.ts';
import { EVENT_CATALOGUE } from '../../src/webhooks/event-catalogue.ts';

const BEGINNING = { seq: 0, day: '1970-01-01' };
const ENOUGH = 2_000;

/** Holds the events that a test made against the catalogue from which the schemas of webhooks are made. */
export async function expectDescribedEvents(pool: Pool): Promise<void> {
  const events = await readEvents(pool, { after: BEGINNING, limit: ENOUGH });
  const astray = events.map(whyAstray).find((why) => why !== undefined);
  if (astray !== undefined) throw new Error(`src/webhooks/event-catalogue.ts: ${astray}`);
}

function whyAstray({ type, data }: EventRow): string | undefined {
  // Of an erased customer's events nothing is left.
  if (data['erased'] === true) return undefined;
  const description = EVENT_CATALOGUE[type];
  if (description === undefined) return `${type} is not there`;
  const { error } = description.data.safeParse(data);
  return error === undefined ? undefined : `${type} is not as described: ${error.message}`;
}
