/** Who is connected to this process, by any of several keys. */
export interface Registry<T> {
  /** Adds a value under keys; the returned function takes it out again. */
  add(keys: readonly string[], value: T): () => void;
  /** Everything under any of the keys, each once. */
  of(keys: readonly string[]): Set<T>;
  count(key: string): number;
  /** Every key that has a value. */
  keys(): Set<string>;
}

/** An empty registry. */
export function createRegistry<T>(): Registry<T> {
  const byKey = new Map<string, Set<T>>();

  function remove(key: string, value: T): void {
    const values = byKey.get(key);
    values?.delete(value);
    if (values?.size === 0) byKey.delete(key);
  }

  return {
    add(keys, value) {
      for (const key of keys) byKey.set(key, (byKey.get(key) ?? new Set()).add(value));
      return () => {
        for (const key of keys) remove(key, value);
      };
    },
    of: (keys) => new Set(keys.flatMap((key) => [...(byKey.get(key) ?? [])])),
    count: (key) => byKey.get(key)?.size ?? 0,
    keys: () => new Set(byKey.keys()),
  };
}
