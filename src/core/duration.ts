const UNIT_MS: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** "5s", "30m", "2h", "1d" or "500ms" in milliseconds, a bare number as seconds; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text.trim()) ?? [];
  const unitMs = UNIT_MS[unit];
  return number === undefined || unitMs === undefined ? undefined : Number(number) * unitMs;
}
