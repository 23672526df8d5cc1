import fc from 'fast-check';
import { DateTime } from 'luxon';
import { describe, expect, test } from 'vitest';
import { epochDay, writeDecimal, writeInstant, writeInteger } from '../destinations/duckdb/numbers.ts';

const bytes = new DataView(new ArrayBuffer(16));

describe('Values in the form that DuckDB keeps them in', () => {
  const integers = fc.oneof(
    fc.maxSafeInteger(),
    fc.integer({ min: -53, max: 53 }).map((power) => Math.sign(power) * (2 ** Math.abs(power) - 1)),
    fc.integer({ min: -52, max: 52 }).map((power) => Math.sign(power) * 2 ** Math.abs(power)),
  );

  test('integers, exact ones and those of 64 bits', () => {
    const written = (value: number | bigint | string) => {
      writeInteger(bytes, 0, value as never);
      return bytes.getBigInt64(0, true);
    };
    fc.assert(fc.property(integers, (value) => written(value) === BigInt(value)));
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (value) => written(String(value)) === value),
    );
  });

  test('decimals, whole ones and those of 38 digits', () => {
    const written = (value: number | string) => {
      writeDecimal(bytes, 0, value);
      return (bytes.getBigInt64(8, true) << 64n) | bytes.getBigUint64(0, true);
    };
    fc.assert(fc.property(integers, (value) => written(value) === BigInt(value) * 10n ** 9n));
    const digits = fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n });
    fc.assert(
      fc.property(digits, (scaled) => {
        const [sign, size] = scaled < 0n ? ['-', String(-scaled)] : ['', String(scaled)];
        const padded = size.padStart(10, '0');
        return written(`${sign}${padded.slice(0, -9)}.${padded.slice(-9)}`) === scaled;
      }),
    );
    expect(written('12.5')).toBe(12_500_000_000n);
  });

  test('instants and days of the years 1 to 9999', () => {
    const seconds = fc.integer({ min: -62_135_596_800, max: 253_402_300_799 });
    fc.assert(
      fc.property(seconds, fc.nat(999_999), (second, micros) => {
        const text = DateTime.fromSeconds(second, { zone: 'utc' }).toFormat("yyyy-MM-dd'T'HH:mm:ss");
        writeInstant(bytes, 0, `${text}.${String(micros).padStart(6, '0')}Z`);
        expect(bytes.getBigInt64(0, true)).toBe(BigInt(second) * 1_000_000n + BigInt(micros));
        expect(epochDay(text.slice(0, 10))).toBe(Math.floor(second / 86_400));
      }),
      { numRuns: 2000 },
    );
  });
});
