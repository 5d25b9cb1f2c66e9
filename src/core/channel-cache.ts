import { isUuid } from './id.ts';
import type { LoadedChannel } from './loaded-channel.ts';
import type { Wake } from './wake.ts';

const KEEP_MS = 5_000;
const KEEP_CHANNELS = 10_000;

type Load = (id: string) => Promise<LoadedChannel | undefined>;

/** Remembers channels for seconds; a wake-up for `channel` forgets one at once, and a lost wake-up costs those seconds. */
export function cacheChannels(read: Load, wake: Wake): Load {
  const cache = new Map<string, { at: number; loading: Promise<LoadedChannel | undefined> }>();
  wake.on('channel', (id) => (id === undefined ? cache.clear() : cache.delete(id)));

  return function load(id) {
    const cached = cache.get(id);
    if (cached !== undefined && Date.now() - cached.at < KEEP_MS) return cached.loading;
    if (cache.size >= KEEP_CHANNELS) cache.clear();
    const loading = isUuid(id) ? read(id) : Promise.resolve(undefined);
    cache.set(id, { at: Date.now(), loading });
    loading.catch(() => cache.delete(id));
    return loading;
  };
}
