import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Wake } from '../../src/core/wake.ts';

/** What every wake keeps towards its own process. */
export function wakeContract(name: string, openIt: () => Promise<Wake>): void {
  describe(`a wake ${name}`, () => {
    let wake: Wake;
    beforeAll(async () => {
      wake = await openIt();
    });
    afterAll(() => wake.close());

    it('reaches its own process at once and exactly once', async () => {
      const heard: (string | undefined)[] = [];
      const stop = wake.on('lane', (detail) => heard.push(detail));
      wake.notify('lane', 'send:1');
      expect(heard).toEqual(['send:1']);
      wake.notify('lane');
      await new Promise((resolve) => setTimeout(resolve, 150));
      expect(heard).toEqual(['send:1', undefined]);
      stop();
    });

    it('keeps topics apart and stops when asked', () => {
      const heard: string[] = [];
      const stop = wake.on('outbox', () => heard.push('outbox'));
      wake.on('events', () => heard.push('events'));
      wake.notify('outbox');
      stop();
      wake.notify('outbox');
      wake.notify('events');
      expect(heard).toEqual(['outbox', 'events']);
    });

    it('tells the others although one listener throws', () => {
      let heard = 0;
      wake.on('channel', () => {
        throw new Error('broken listener');
      });
      wake.on('channel', () => heard++);
      wake.notify('channel');
      expect(heard).toBe(1);
    });
  });
}
