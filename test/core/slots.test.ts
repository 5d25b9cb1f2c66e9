import { describe, expect, it } from 'vitest';
import { createSlots } from '../../src/core/slots.ts';

describe('a place', () => {
  it('is given in the order it was asked for, once however often it is given back', async () => {
    const slots = createSlots(1);
    const first = await slots.take();
    const order: string[] = [];
    const second = slots.take().then((giveBack) => {
      order.push('second');
      return giveBack;
    });
    const third = slots.take().then(() => order.push('third'));
    first();
    first();
    const giveBack = await second;
    expect(order).toEqual(['second']);
    giveBack();
    await third;
    expect(order).toEqual(['second', 'third']);
  });

  it('that comes too late is for the next', async () => {
    const slots = createSlots(1);
    const first = await slots.take();
    expect(await slots.takeWithin(1)).toBeUndefined();
    first();
    const next = await slots.takeWithin(1);
    expect(next).toBeDefined();
  });
});
