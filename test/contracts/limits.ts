import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RateLimits } from '../../src/core/limits.ts';

/** What every counter of rate limits keeps. */
export function limitsContract(name: string, openIt: () => Promise<RateLimits>): void {
  describe(`rate limits ${name}`, () => {
    let limits: RateLimits;
    beforeAll(async () => {
      limits = await openIt();
    });
    afterAll(() => limits.close());

    const threeAMinute = { points: 3, durationSeconds: 60 };

    it('count down and then refuse', async () => {
      const taken = [];
      for (let n = 0; n < 4; n++) taken.push(await limits.consume('api', 'key-1', threeAMinute));
      expect(taken.map(({ allowed, remaining }) => [allowed, remaining])).toEqual([
        [true, 2],
        [true, 1],
        [true, 0],
        [false, 0],
      ]);
      for (const { limit, resetAtMs } of taken) {
        expect(limit).toBe(3);
        expect(resetAtMs).toBeGreaterThan(Date.now() + 50_000);
        expect(resetAtMs).toBeLessThanOrEqual(Date.now() + 60_000);
      }
    });

    it('allow exactly the points to a burst', async () => {
      const burst = Array.from({ length: 20 }, () =>
        limits.consume('api', 'key-2', { points: 7, durationSeconds: 60 }),
      );
      const allowed = (await Promise.all(burst)).filter((each) => each.allowed);
      expect(allowed).toHaveLength(7);
    });

    it('keep keys and names apart', async () => {
      const once = { points: 1, durationSeconds: 60 };
      expect((await limits.consume('api', 'key-3', once)).allowed).toBe(true);
      expect((await limits.consume('api', 'key-4', once)).allowed).toBe(true);
      expect((await limits.consume('demo', 'key-3', once)).allowed).toBe(true);
      expect((await limits.consume('api', 'key-3', once)).allowed).toBe(false);
    });

    it('allow again in the next window', async () => {
      const oneASecond = { points: 1, durationSeconds: 1 };
      expect((await limits.consume('api', 'key-5', oneASecond)).allowed).toBe(true);
      const refused = await limits.consume('api', 'key-5', oneASecond);
      expect(refused.allowed).toBe(false);
      await new Promise((resolve) => setTimeout(resolve, refused.resetAtMs - Date.now() + 50));
      expect((await limits.consume('api', 'key-5', oneASecond)).allowed).toBe(true);
    });
  });
}
