import type { Value } from '../../schemas/row.ts';

/**
 * Numbers and times in the form that DuckDB keeps them in: integers of 32, 64 or 128 bits, lowest byte first. As long as they are
 * exact, they are worked out with JavaScript's own numbers: a `bigint` for each would cost ten times as much.
 */

const WORD = 2 ** 32;

/** Decimal places of our DECIMAL. */
const SCALE = 9;

/** A BIGINT. */
export function writeInteger(to: DataView, at: number, value: NonNullable<Value>): void {
  if (typeof value === 'number' && Number.isSafeInteger(value)) writeSafe(to, at, value);
  else to.setBigInt64(at, BigInt(value), true);
}

/** A DECIMAL(38,9): the value times 10^9, in 128 bits. */
export function writeDecimal(to: DataView, at: number, value: NonNullable<Value>): void {
  if (typeof value === 'number' && Number.isSafeInteger(value)) writeWhole(to, at, value);
  else writeText(to, at, String(value));
}

function writeText(to: DataView, at: number, text: string): void {
  const [whole = '', fraction = ''] = text.split('.');
  const scaled = BigInt(whole + fraction.padEnd(SCALE, '0'));
  to.setBigUint64(at, BigInt.asUintN(64, scaled), true);
  to.setBigInt64(at + 8, scaled >> 64n, true);
}

/** 10^9 is 5^9 times 2^9: the number is cut into halves whose product with 5^9 is exact, and 2^9 moves them into place. */
const FIVES = 5 ** SCALE;
const HALF = 2 ** 27;

function writeWhole(to: DataView, at: number, value: number): void {
  const size = Math.abs(value);
  const low = (size % HALF) * FIVES;
  const high = Math.floor(size / HALF) * FIVES;
  const upper = high * 16 + Math.floor(low / 2 ** 23);
  let words: readonly [number, number, number] = [(low % 2 ** 23) * 2 ** SCALE, upper % WORD, Math.floor(upper / WORD)];
  let sign = 0;
  if (value < 0) {
    // Two's complement: all bits turned, and one added.
    const [first, second, third] = words;
    const carry = first === 0 ? 1 : 0;
    const carried = carry === 1 && second === 0 ? 1 : 0;
    words = [WORD - first, WORD - 1 - second + carry, WORD - 1 - third + carried];
    sign = -1;
  }
  to.setUint32(at, words[0], true);
  to.setUint32(at + 4, words[1], true);
  to.setUint32(at + 8, words[2], true);
  to.setInt32(at + 12, sign, true);
}

/** 64 bits of a safe integer. */
function writeSafe(to: DataView, at: number, value: number): void {
  const high = Math.floor(value / WORD);
  to.setUint32(at, value - high * WORD, true);
  to.setInt32(at + 4, high, true);
}

const DAY_SECONDS = 86_400;

/** `YYYY-MM-DDTHH:MM:SS.ffffffZ` in microseconds since 1970; the width is fixed. */
export function writeInstant(to: DataView, at: number, instant: string): void {
  const seconds = two(instant, 11) * 3600 + two(instant, 14) * 60 + two(instant, 17);
  const micros = two(instant, 20) * 10_000 + two(instant, 22) * 100 + two(instant, 24);
  const whole = epochDay(instant) * DAY_SECONDS + seconds;
  const all = whole * 1_000_000 + micros;
  if (Number.isSafeInteger(all)) writeSafe(to, at, all);
  else to.setBigInt64(at, BigInt(whole) * 1_000_000n + BigInt(micros), true);
}

/**
 * The days from 1970 to a date, `YYYY-MM-DD` and whatever follows, in the calendar that ISO 8601 extends to all years: years begin in March here, so
 * that the leap day ends them, and 400 of them always have as many days.
 */
export function epochDay(date: string): number {
  const month = two(date, 5);
  const year = two(date, 0) * 100 + two(date, 2) - (month < 3 ? 1 : 0);
  const century = Math.floor(year / 100);
  const monthsDays = Math.floor((153 * ((month + 9) % 12) + 2) / 5);
  return 365 * year + Math.floor(year / 4) - century + Math.floor(century / 4) + monthsDays + two(date, 8) - 719_469;
}

/** Two decimal digits. */
function two(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;
}
