import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createTyping } from '../../src/realtime/typing.ts';
import { createTypingSigns } from '../../src/realtime/typing-signs.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

it('is announced once while keys are pressed, and ends by itself', () => {
  const announced: boolean[] = [];
  const typing = createTyping((_, isTyping) => announced.push(isTyping));
  for (let key = 0; key < 10; key += 1) {
    typing.set('c', true);
    vi.advanceTimersByTime(100);
  }
  expect(announced).toEqual([true]);
  vi.advanceTimersByTime(8_000);
  expect(announced).toEqual([true, false]);
});

it('goes on while it is refreshed', () => {
  const announced: boolean[] = [];
  const typing = createTyping((_, isTyping) => announced.push(isTyping));
  for (let seconds = 0; seconds < 20; seconds += 4) {
    typing.set('c', true);
    vi.advanceTimersByTime(4_000);
  }
  expect(announced).not.toContain(false);
  typing.stop();
  expect(announced.at(-1)).toBe(false);
});

it('ends once, and not before it began', () => {
  const announced: boolean[] = [];
  const typing = createTyping((_, isTyping) => announced.push(isTyping));
  typing.set('c', false);
  typing.set('c', true);
  typing.set('c', false);
  typing.set('c', false);
  expect(announced).toEqual([true, false]);
});

it('that requests tell of ends by itself too, for each by themselves, and wherever it began', () => {
  const announced: string[] = [];
  const signs = createTypingSigns(({ userId, isTyping }) => announced.push(`${userId} ${isTyping}`));
  const show = (userId: string, isTyping: boolean) => signs.show({ conversationId: 'c', userId, isTyping });
  for (let n = 0; n < 5; n += 1) show('bot', true);
  show('ann', true);
  show('ann', false);
  show('elsewhere', false);
  expect(announced).toEqual(['bot true', 'ann true', 'ann false', 'elsewhere false']);
  vi.advanceTimersByTime(8_000);
  expect(announced.slice(4)).toEqual(['bot false']);
});
