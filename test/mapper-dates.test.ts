import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, it } from 'vitest';
import { parseBusinessDate, parseTimestamp } from '../schemas/dates.ts';

const years = { minYear: 1, maxYear: 9999 };

const padded = (max: number, length: number) => fc.nat(max).map((value) => String(value).padStart(length, '0'));
const year = fc.oneof(padded(9999, 4), fc.integer({ min: 1890, max: 2110 }).map(String));
const month = padded(13, 2);
const day = fc.oneof(padded(32, 2), fc.constantFrom('28', '29', '30', '31'));

describe('fault 11: a business date', () => {
  it('gives a date only if it is that day, day first', () => {
    fc.assert(
      fc.property(day, month, year, (dd, mm, yyyy) => {
        const text = `${dd}/${mm}/${yyyy}`;
        const date = DateTime.fromFormat(text, 'dd/MM/yyyy', { zone: 'utc' });
        expect(parseBusinessDate(text, years)).toBe(date.isValid && yyyy !== '0000' ? date.toISODate() : null);
      }),
      { numRuns: 5_000 },
    );
  });

  it('gives every day of four centuries, and no other', () => {
    for (let date = DateTime.utc(1800, 1, 1); date.year < 2200; date = date.plus({ days: 1 })) {
      const parsed = parseBusinessDate(date.toFormat('dd/MM/yyyy'), years);
      if (parsed !== date.toISODate()) expect(parsed).toBe(date.toISODate());
    }
  });

  it('gives no date for a text of any other form', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'0123/-. T٣'), minLength: 8, maxLength: 11 });
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (text) => {
        fc.pre(!/^\d\d\/\d\d\/\d{4}$/.test(text));
        expect(parseBusinessDate(text, years)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });

  it('gives no date outside of the years that a destination holds', () => {
    const few = { minYear: 1900, maxYear: 2100 };
    expect(parseBusinessDate('31/12/1899', few)).toBeNull();
    expect(parseBusinessDate('01/01/1900', few)).toBe('1900-01-01');
    expect(parseBusinessDate('31/12/2100', few)).toBe('2100-12-31');
    expect(parseBusinessDate('01/01/2101', few)).toBeNull();
  });
});

describe('A timestamp', () => {
  const offset = fc.oneof(
    fc.constant('Z'),
    fc
      .tuple(fc.constantFrom('+', '-'), padded(15, 2), fc.constantFrom('', ':'), padded(61, 2))
      .map((parts) => parts.join('')),
  );
  const fraction = fc.oneof(
    fc.constant(''),
    fc.string({ unit: fc.constantFrom(...'0123456789'), minLength: 1, maxLength: 6 }).map((digits) => `.${digits}`),
  );

  it('is the instant that luxon reads, to the microsecond', () => {
    fc.assert(
      fc.property(
        fc.tuple(year, month, day),
        fc.tuple(padded(24, 2), padded(60, 2), padded(60, 2)),
        fraction,
        offset,
        (date, time, part, zone) => {
          const text = `${date.join('-')}T${time.join(':')}${part}${zone}`;
          const instant = DateTime.fromISO(text, { zone: 'utc' });
          // Luxon also takes hour 24, which most databases do not, and offsets of more than 59 minutes.
          const isStrict = time[0] !== '24' && !/6\d$/.test(zone);
          const fits = instant.isValid && isStrict && instant.year >= 1 && instant.year <= 9999;
          const expected = `${instant.toFormat("yyyy-MM-dd'T'HH:mm:ss")}.${part.slice(1).padEnd(6, '0')}Z`;
          expect(parseTimestamp(text, years)).toBe(fits ? expected : null);
        },
      ),
      { numRuns: 5_000 },
    );
  });

  it('sorts as text as it does in time', () => {
    const instant = fc
      .date({ min: new Date('0001-01-02T00:00:00Z'), max: new Date('9999-12-30T00:00:00Z'), noInvalidDate: true })
      .map((date) => date.toISOString());
    fc.assert(
      fc.property(instant, instant, offset, (a, b, zone) => {
        fc.pre(!/6\d$/.test(zone));
        const shifted = b.replace('Z', zone);
        const [first, second] = [parseTimestamp(a, years)!, parseTimestamp(shifted, years)!];
        const inTime = Math.sign(DateTime.fromISO(a).toMillis() - DateTime.fromISO(shifted).toMillis());
        expect(Math.sign(Number(first > second) - Number(first < second))).toBe(inTime);
      }),
    );
  });

  it('is no instant where a text has any other form', () => {
    const nearly = fc.string({ unit: fc.constantFrom(...'0123456789-:.TZ+ '), minLength: 18, maxLength: 26 });
    const strict = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:?\d\d)$/;
    fc.assert(
      fc.property(fc.oneof(nearly, fc.string()), (text) => {
        fc.pre(!strict.test(text));
        expect(parseTimestamp(text, years)).toBeNull();
      }),
      { numRuns: 2_000 },
    );
  });
});
