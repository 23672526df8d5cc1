/** Dates in the bytes of a page, as Postgres counts them, for the forms that nearly all of them have. */

/** Stands for a text that is no day. */
export const EMPTY_DAY = -0x80000000;

/** Days from 0000-03-01, where this count begins, to 2000-01-01. */
const DAYS_TO_2000 = 730_425;

/** The years whose microseconds a double counts exactly. */
const FIRST_YEAR = 1720;
const LAST_YEAR = 2280;

/** The day that the ten bytes `DD/MM/YYYY` at `at` say, in days since 2000-01-01; `EMPTY_DAY` where they say none. */
export function plainDay(from: Uint8Array, at: number): number {
  if (from[at + 2] !== 47 || from[at + 5] !== 47) return EMPTY_DAY;
  const year = twoDigits(from, at + 6) * 100 + twoDigits(from, at + 8);
  return year >= 1 ? daysFrom2000(year, twoDigits(from, at + 3), twoDigits(from, at)) : EMPTY_DAY;
}

/**
 * The instant that the 26 bytes `"YYYY-MM-DDTHH:MM:SS.mmmZ"` at `at` say, in microseconds since 2000-01-01; NaN where they are of another
 * form, or say none, or one long ago.
 */
export function plainInstant(from: Uint8Array, at: number): number {
  if (
    from[at] !== 34 ||
    from[at + 5] !== 45 ||
    from[at + 8] !== 45 ||
    from[at + 11] !== 84 ||
    from[at + 14] !== 58 ||
    from[at + 17] !== 58 ||
    from[at + 20] !== 46 ||
    from[at + 24] !== 90 ||
    from[at + 25] !== 34
  ) {
    return Number.NaN;
  }
  const year = twoDigits(from, at + 1) * 100 + twoDigits(from, at + 3);
  const days = daysFrom2000(year, twoDigits(from, at + 6), twoDigits(from, at + 9));
  const hours = twoDigits(from, at + 12);
  const minutes = twoDigits(from, at + 15);
  const seconds = twoDigits(from, at + 18);
  const tenths = from[at + 21]! - 48;
  const millis = tenths * 100 + twoDigits(from, at + 22);
  if (!(year >= FIRST_YEAR && year <= LAST_YEAR) || days === EMPTY_DAY) return Number.NaN;
  if (!(hours <= 23 && minutes <= 59 && seconds <= 59 && tenths >= 0 && tenths <= 9)) return Number.NaN;
  return ((days * 86_400 + hours * 3600 + minutes * 60 + seconds) * 1000 + millis) * 1000;
}

/** The number that two digits make; NaN where they are none. */
function twoDigits(from: Uint8Array, at: number): number {
  const tens = from[at]! - 48;
  const ones = from[at + 1]! - 48;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Days since 2000-01-01, or `EMPTY_DAY` where the calendar has no such day. Years begin in March here, so that a leap day is their last. */
function daysFrom2000(year: number, month: number, day: number): number {
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return EMPTY_DAY;
  const march = month > 2 ? year : year - 1;
  const months = month > 2 ? month - 3 : month + 9;
  const days = Math.floor(march / 4) - Math.floor(march / 100) + Math.floor(march / 400);
  return march * 365 + days + Math.floor((months * 153 + 2) / 5) + day - 1 - DAYS_TO_2000;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}
