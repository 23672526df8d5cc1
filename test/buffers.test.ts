import { expect, test } from 'vitest';
import { createBuffers } from '../destinations/buffers.ts';

test('memory is given out again once it was given back, and never to two at once', () => {
  const buffers = createBuffers(2);
  const first = buffers.take(100_000);
  const second = buffers.take(100_000);
  expect([first.length, second.length]).toEqual([100_000, 100_000]);
  expect(second.buffer).not.toBe(first.buffer);
  buffers.giveBack(first.subarray(0, 10));
  buffers.giveBack(first);
  const third = buffers.take(90_000);
  expect([third.length, third.buffer]).toEqual([90_000, first.buffer]);
  expect(buffers.take(90_000).buffer).not.toBe(first.buffer);
});

test('what is large, small or somebody else’s is left alone', () => {
  const buffers = createBuffers(1);
  const large = buffers.take(5_000_000);
  buffers.giveBack(large);
  expect(buffers.take(5_000_000).buffer).not.toBe(large.buffer);
  const others = Buffer.alloc(65_536);
  buffers.giveBack(others);
  const small = buffers.take(1);
  expect(small).toHaveLength(1);
  expect(small.buffer).not.toBe(others.buffer);
});
