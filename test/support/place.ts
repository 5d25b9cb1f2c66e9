import { createEventFeed } from '../../src/core/events/event-feed.ts';
import { createPlace, type Place } from '../../src/core/events/place.ts';
import type { Wake } from '../../src/core/wake.ts';

/** Places events where no endpoint and no lane is to hear of them. */
export function placeQuietly(wake: Wake): Place {
  return createPlace({
    wake,
    wakeQueue: async () => {},
    fanOut: async () => () => [],
    feed: createEventFeed(),
  });
}
