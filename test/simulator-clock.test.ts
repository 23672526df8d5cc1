import fc from 'fast-check';
import { expect, it } from 'vitest';
import { instantMs, isoText, startClock } from '../simulator/clock.ts';

const anyInstant = fc.date({ noInvalidDate: true, min: new Date('0001-01-01'), max: new Date('9999-12-31') });

it('writes an instant as Date does, and reads it back', () => {
  fc.assert(
    fc.property(anyInstant, (date) => {
      expect(isoText(date.getTime())).toBe(date.toISOString());
      expect(instantMs(date.toISOString())).toBe(date.getTime());
    }),
  );
});

it('reads offsets, fractions beyond milliseconds and bare dates, and nothing else', () => {
  const at = Date.parse('2026-05-29T07:20:55.123Z');
  for (const text of ['2026-05-29T10:20:55.123+03:00', '2026-05-29T10:20:55.123+0300', '2026-05-29T07:20:55.123000Z']) {
    expect(instantMs(text)).toBe(at);
  }
  expect(instantMs('2026-05-29T07:20:55.1235Z')).toBe(at + 0.5);
  expect(instantMs('2026-05-29')).toBe(Date.parse('2026-05-29T00:00:00Z'));
  for (const text of ['', 'yesterday', '29/05/2026', '2026-05-29T07:20:55 03:00', '2026-13-01T00:00:00Z']) {
    expect(instantMs(text)).toBeNull();
  }
});

it('runs ahead by its offset and by what it is advanced, never back', () => {
  const clock = startClock(-3_600_000);
  const before = clock.ms();
  expect(Math.abs(Date.now() - 3_600_000 - before)).toBeLessThan(5_000);
  clock.advance(10_000);
  expect(clock.ms()).toBeGreaterThanOrEqual(before + 10_000);
  expect(clock.text() >= isoText(before + 10_000)).toBe(true);
});
