import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cuts, earlierBy, millisSince } from '../connector/sync/instants.ts';
import { endedAt, incrementSince, notBefore, reachesFurther } from '../connector/sync/plan.ts';
import { limitOf, otherLimit, partsWorth, restarted, split } from '../connector/sync/windows.ts';
import type { Window } from '../destinations/position.ts';

const at = (day: number, hour = 0) => new Date(Date.UTC(2026, 0, day, hour)).toISOString().replace('Z', '000Z');
const window = (fields: Partial<Window> = {}): Window => ({
  since: null,
  until: at(30),
  cursor: null,
  last: null,
  ...fields,
});

describe('instants', () => {
  test('go back to the microsecond, and never before year 1', () => {
    expect(earlierBy('2026-01-01T00:00:00.000001Z', 1)).toBe('2025-12-31T23:59:59.999001Z');
    expect(earlierBy('0001-01-01T00:00:01.000000Z', 5000)).toBe('0001-01-01T00:00:00.000000Z');
    expect(millisSince('2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:01.500500Z')).toBe(1500.5);
  });

  test('are cut at whole milliseconds strictly inside', () => {
    expect(cuts('2026-01-01T00:00:00.000001Z', '2026-01-01T00:00:00.003000Z', 3)).toEqual([
      '2026-01-01T00:00:00.001000Z',
      '2026-01-01T00:00:00.002000Z',
    ]);
    expect(cuts(at(1), '2026-01-01T00:00:00.001000Z', 4)).toEqual([]);
  });
});

describe('a split', () => {
  const instants = fc
    .date({ min: new Date('2015-01-01'), max: new Date('2030-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString().replace('Z', '000Z'));

  test('tiles what is left of the window, and goes on inclusively at the last value seen (rules 4 and 5)', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(instants, { minLength: 3, maxLength: 3 }),
        fc.integer({ min: 2, max: 40 }),
        (three, parts) => {
          const [since, last, until] = three.sort() as [string, string, string];
          const given = window({ since, until, last, cursor: 'c' });
          const windows = split(given, parts, null, until);
          if (windows === null) return;
          expect(windows[0]).toMatchObject({ since: last, last, cursor: null });
          expect(windows.at(-1)!.until).toBe(until);
          expect(windows.length).toBeLessThanOrEqual(parts);
          for (const [n, { since: start, until: end }] of windows.entries()) {
            expect(start! < end!).toBe(true);
            if (n > 0) expect(windows[n - 1]!.until).toBe(start);
            if (n > 0) expect(windows[n]).toMatchObject({ cursor: null, last: null });
          }
        },
      ),
    );
  });

  test('keeps an open end open', () => {
    const windows = split(window({ until: null, last: at(10), since: at(1) }), 2, null, at(20));
    expect(windows?.map(({ since, until }) => [since, until])).toEqual([
      [at(10), at(15)],
      [at(15), null],
    ]);
  });

  test('is not made where the walk has not passed its since, nor of a moment, nor of nothing (rule 5)', () => {
    expect(split(window({ since: at(3), last: at(3), cursor: 'c' }), 4, null, at(30))).toBeNull();
    expect(
      split(window({ since: at(3), last: at(4), until: '2026-01-04T00:00:01.500000Z' }), 4, null, at(30)),
    ).toBeNull();
    expect(split(window({ last: at(30) }), 4, null, at(30))).toBeNull();
    expect(split(window(), 4, null, at(30))).toBeNull();
  });

  test('of a window that nobody has walked begins where the data does', () => {
    const windows = split(window(), 2, at(10), at(30));
    expect(windows?.map(({ since, until }) => [since, until])).toEqual([
      [null, at(20)],
      [at(20), at(30)],
    ]);
  });
});

describe('a walk', () => {
  test('is worth as many parts as its pace promises', () => {
    const walked = window({ since: at(1), last: at(2) });
    expect(partsWorth(walked, { pages: 1, since: at(1) }, at(30))).toBe(14);
    expect(partsWorth(window({ since: at(1), last: at(29) }), { pages: 2, since: at(1) }, at(30))).toBe(1);
    expect(partsWorth(window({ since: at(1), last: at(29) }), { pages: 3, since: at(1) }, at(30))).toBe(2);
    expect(partsWorth(window({ since: at(1), last: at(1) }), { pages: 9, since: at(1) }, at(30))).toBe(1);
  });

  test('that starts again keeps its end and what it knows, and drops the page cursor', () => {
    expect(restarted(window({ since: at(1), last: at(5), cursor: 'c' }))).toEqual(
      window({ since: at(5), last: at(5) }),
    );
    expect(restarted(window({ since: at(1), cursor: 'c', limit: 250 }))).toEqual(window({ since: at(1), limit: 250 }));
    expect(restarted(window({ since: at(1), limit: 250 }), 1000)).toEqual(window({ since: at(1) }));
  });

  test('asks for less, down to single records, and for more again', () => {
    const sizes: number[] = [];
    for (let next: number | null = limitOf(window()); next !== null; next = otherLimit(window({ limit: next }), 1))
      sizes.push(next);
    expect(sizes).toEqual([1000, 250, 60, 15, 1]);
    expect(otherLimit(window({ limit: 60 }), -1)).toBe(250);
    expect(otherLimit(window(), -1)).toBeNull();
  });
});

describe('the next run begins', () => {
  const quarter = 15 * 60_000;

  test('at the smaller of complete and seen, less the look-back (rule 4)', () => {
    expect(incrementSince({ complete: at(10), seen: at(9) }, quarter, null)).toBe('2026-01-08T23:45:00.000000Z');
    expect(incrementSince({ complete: at(9), seen: at(10) }, quarter, null)).toBe('2026-01-08T23:45:00.000000Z');
  });

  test('never before the start date, and from the start where nothing was seen', () => {
    expect(incrementSince({ complete: at(10), seen: at(10) }, quarter, at(10))).toBe(at(10));
    expect(incrementSince({ complete: at(10), seen: null }, quarter, at(2))).toBe(at(2));
    expect(incrementSince({ complete: null, seen: at(10) }, quarter, null)).toBeNull();
    expect(notBefore(null, at(3))).toBe(at(3));
  });

  test('with the missing span where its start date is earlier than before', () => {
    expect(reachesFurther(null, at(3))).toBe(true);
    expect(reachesFurther(at(2), at(3))).toBe(true);
    expect(reachesFurther(at(4), at(3))).toBe(false);
    expect(reachesFurther(at(4), null)).toBe(false);
  });

  test('by ending an open window where values were seen, so that its look-back covers what came late', () => {
    expect(endedAt(at(9), window({ since: at(1), until: null, last: at(5), cursor: 'c' }))).toEqual([
      window({ since: at(5), last: at(5), until: at(9) }),
    ]);
    expect(endedAt(at(9), window({ since: at(9), until: null }))).toEqual([]);
    expect(endedAt(null, window({ until: null }))).toEqual([]);
  });
});
