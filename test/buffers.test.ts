import { expect, test } from 'vitest';
import { createBuffers } from '../destinations/buffers.ts';

test('memory is given out again once it was given back, and never to two at once', () => {
  const buffers = createBuffers(1e6);
  const first = buffers.take(100_000);
  const second = buffers.take(100_000);
  expect([first.length, second.length]).toEqual([100_000, 100_000]);
  expect(second.buffer).not.toBe(first.buffer);
  buffers.giveBack(first.subarray(0, 10));
  buffers.giveBack(first);
  const third = buffers.take(99_000);
  expect([third.length, third.buffer]).toEqual([99_000, first.buffer]);
  expect(buffers.take(99_000).buffer).not.toBe(first.buffer);
});

test('little more is given than was asked for', () => {
  const buffers = createBuffers(1e6);
  for (let length = 65_537; length <= 1_048_576; length += 4_001) {
    const given = buffers.take(length);
    expect(given).toHaveLength(length);
    expect(given.buffer.byteLength / length).toBeLessThan(1.25);
  }
});

test('so much is kept and no more, and what goes is of the size that was not asked for the longest', () => {
  const buffers = createBuffers(1_000_000);
  const [old, ...recent] = [200_000, 400_000, 400_000].map((length) => buffers.take(length));
  for (const bytes of [old!, ...recent]) buffers.giveBack(bytes);
  const memory = new Set(recent.map(({ buffer }) => buffer));
  expect([400_000, 400_000].every((length) => memory.has(buffers.take(length).buffer))).toBe(true);
  expect(buffers.take(200_000).buffer).not.toBe(old!.buffer);
});

test('what is large, small or somebody else’s is left alone', () => {
  const buffers = createBuffers(1e6);
  const large = buffers.take(5_000_000);
  buffers.giveBack(large);
  expect(buffers.take(5_000_000).buffer).not.toBe(large.buffer);
  const others = Buffer.alloc(65_536);
  buffers.giveBack(others);
  const small = buffers.take(1);
  expect(small).toHaveLength(1);
  expect(small.buffer).not.toBe(others.buffer);
});
