import type { ChannelAdapter } from '../adapter.ts';
import { AppError, detailsOf } from '../errors.ts';

export type Config = Record<string, unknown>;

const MASK = '••••';
const SHOWN_FROM_LENGTH = 12;

/** A config in its two halves: what is stored readable, and what is stored encrypted. Keys may be paths (`smtp.pass`). */
export function splitSecrets(
  config: Config,
  secretKeys: readonly string[],
): { open: Config; secret: Record<string, string> } {
  const open = structuredClone(config);
  const secret: Record<string, string> = {};
  for (const key of secretKeys) {
    const value = valueAt(open, key);
    if (typeof value !== 'string') continue;
    secret[key] = value;
    removeAt(open, key);
  }
  return { open, secret };
}

/** The two halves as one config again. */
export function joinSecrets(open: Config, secret: Record<string, string>): Config {
  const config = structuredClone(open);
  for (const [key, value] of Object.entries(secret)) setAt(config, key, value);
  return config;
}

/** The config as it may be shown: each secret by its last characters, and a short one not even by those. */
export function maskSecrets(config: Config, secretKeys: readonly string[]): Config {
  const { open, secret } = splitSecrets(config, secretKeys);
  const masked = Object.entries(secret).map(([key, value]) => [key, maskOf(value)]);
  return joinSecrets(open, Object.fromEntries(masked));
}

function maskOf(value: string): string {
  return value.length < SHOWN_FROM_LENGTH ? MASK : `${MASK}${value.slice(-4)}`;
}

/** The secrets that a caller only sent back as we had masked them. */
export function maskedKeys(input: Config, secretKeys: readonly string[]): string[] {
  return secretKeys.filter((key) => {
    const value = valueAt(input, key);
    return typeof value === 'string' && value.startsWith(MASK);
  });
}

/** A config with some of its keys changed; objects inside it are changed key by key too. */
function mergeConfig(before: Config, changes: Config): Config {
  const merged = structuredClone(before);
  for (const [key, value] of Object.entries(changes)) {
    const old = merged[key];
    merged[key] = isObject(value) && isObject(old) ? mergeConfig(old, value) : value;
  }
  return merged;
}

/** Checks a config as its adapter wants it. Throws a refusal that names each field as `config.…`. */
export function parseConfig(adapter: ChannelAdapter, config: Config): Config {
  const result = adapter.settings.safeParse(config);
  if (result.success) return result.data as Config;
  const details = detailsOf(result.error, ['config']);
  throw new AppError('validation_error', `This is no valid config for ${adapter.type}.`, { details });
}

/**
 * The changed config of a channel. Once a host changes, no stored secret may reach it: those that the request does not
 * bring again are left out, and one that the adapter cannot generate anew is refused by name.
 */
export function changeConfig(adapter: ChannelAdapter, before: Config, input: Config): Config {
  const given = structuredClone(input);
  for (const key of maskedKeys(input, adapter.secretKeys)) removeAt(given, key);
  const merged = mergeConfig(before, given);
  const changed = parseConfig(adapter, merged);
  if (!hostsDiffer(adapter, before, changed)) return changed;
  const stale = adapter.secretKeys.filter(
    (key) =>
      adapter.localSecretKeys?.includes(key) !== true &&
      valueAt(given, key) === undefined &&
      valueAt(before, key) !== undefined,
  );
  for (const key of stale) removeAt(merged, key);
  const needed = stale.filter((key) => isMissing(adapter, merged, key));
  if (needed.length > 0) throw secretsNeeded(needed);
  return parseConfig(adapter, merged);
}

/** Whether the config lacks this secret and its adapter generates none. */
function isMissing(adapter: ChannelAdapter, config: Config, key: string): boolean {
  const result = adapter.settings.safeParse(config);
  if (result.success) return valueAt(result.data as Config, key) === undefined;
  return result.error.issues.some(({ path }) => path.join('.') === key);
}

function hostsDiffer(adapter: ChannelAdapter, before: Config, after: Config): boolean {
  return adapter.hostKeys.some((key) => valueAt(before, key) !== valueAt(after, key));
}

function secretsNeeded(keys: string[]): AppError {
  const details = keys.map((key) => ({
    field: `config.${key}`,
    message: 'must be given again, since a host changes',
  }));
  return new AppError('validation_error', 'A host changes: give the secrets again in the same request.', {
    details,
  });
}

/** The value at a path like `smtp.pass`. */
export function valueAt(config: Config, path: string): unknown {
  return path.split('.').reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), config);
}

function setAt(config: Config, path: string, value: unknown): void {
  const keys = path.split('.');
  const last = keys.pop() ?? path;
  const parent = keys.reduce<Config>((object, key) => {
    const child = isObject(object[key]) ? object[key] : {};
    object[key] = child;
    return child;
  }, config);
  parent[last] = value;
}

function removeAt(config: Config, path: string): void {
  const keys = path.split('.');
  const last = keys.pop() ?? path;
  const parent = keys.length === 0 ? config : valueAt(config, keys.join('.'));
  if (isObject(parent)) delete parent[last];
}

function isObject(value: unknown): value is Config {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
