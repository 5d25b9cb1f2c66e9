import type { Sql } from '../database/connect.ts';
import { isUuid } from '../id.ts';
import type { Wake } from '../wake.ts';
import type { LoadedChannel } from './loaded-channel.ts';

const KEEP_MS = 5_000;
const KEEP_CHANNELS = 10_000;

type Load = (id: string, tx?: Sql) => Promise<LoadedChannel | undefined>;

interface Kept {
  at: number;
  loading: Promise<LoadedChannel | undefined>;
  isLoaded: boolean;
}

/** Remembers channels for seconds; a wake-up for `channel` forgets one at once, and a lost wake-up costs those seconds. */
export function cacheChannels(read: Load, wake: Wake): Load {
  const cache = new Map<string, Kept>();
  wake.on('channel', (id) => (id === undefined ? cache.clear() : cache.delete(id)));

  return function load(id, tx) {
    const kept = cache.get(id);
    // Who is in a transaction holds a connection: to wait for whoever waits for one could be for ever.
    const mayWait = tx === undefined || kept?.isLoaded === true;
    if (kept !== undefined && mayWait && Date.now() - kept.at < KEEP_MS) return kept.loading;
    if (cache.size >= KEEP_CHANNELS) cache.clear();
    const loading = isUuid(id) ? read(id, tx) : Promise.resolve(undefined);
    const fresh = { at: Date.now(), loading, isLoaded: false };
    cache.set(id, fresh);
    loading.then(
      () => {
        fresh.isLoaded = true;
      },
      () => cache.delete(id),
    );
    return loading;
  };
}
