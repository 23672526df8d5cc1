import type { ColumnKind } from '../../schemas/kinds.ts';

/** Values of a record as they stand in a page's bytes, judged by their look: what a column takes as it is, and where it ends. */

/**
 * @param at where the value begins.
 * @param dated what is learned of a date, where the value is one.
 * @returns where the value ends; -1 when it is anything but the usual.
 */
export type ReadValue = (bytes: Uint8Array, at: number, found: Found) => number;

/** What reading a value has found beside its end. */
export interface Found {
  /** The value is null. */
  isNull: boolean;
  /** A date or the day of an instant, as year * 10,000 + month * 100 + day; 0 where a text is no date. */
  day: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const POINT = 0x2e;
const SLASH = 0x2f;
const ZERO = 0x30;
const MOST_KEY_BYTES = 1_024;
/** So many digits are exact however a number is read. */
const MOST_DIGITS = 15;

/** Text in quotation marks, without anything that JSON would have to escape. @returns behind the closing mark. */
function text(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== QUOTE) return -1;
  for (let end = at + 1; ; end++) {
    const byte = bytes[end]!;
    if (byte === QUOTE) return end + 1;
    if (byte === BACKSLASH || !(byte >= 0x20)) return -1;
  }
}

/** What a key's column takes: neither null nor empty nor too long. */
export const readKey: ReadValue = (bytes, at) => {
  const end = text(bytes, at);
  return end - at - 2 < 1 || end - at - 2 > MOST_KEY_BYTES ? -1 : end;
};

const readText: ReadValue = (bytes, at, found) => orNull(bytes, at, found) ?? text(bytes, at);

/** A whole number. A fraction is another thing: it is sent as text, so that it is never a double on its way. */
const readInteger: ReadValue = (bytes, at, found) => {
  const ended = orNull(bytes, at, found);
  if (ended !== null) return ended;
  const start = bytes[at] === MINUS ? at + 1 : at;
  const end = digits(bytes, start);
  if (end === start || end - start > MOST_DIGITS) return -1;
  if (bytes[start] === ZERO && (end > start + 1 || start > at)) return -1;
  return end;
};

/** A number that is written back as it came. */
const readDouble: ReadValue = (bytes, at, found) => {
  const ended = orNull(bytes, at, found);
  if (ended !== null) return ended;
  let end = digits(bytes, bytes[at] === MINUS ? at + 1 : at);
  if (bytes[end] === POINT) end = digits(bytes, end + 1);
  const token = ascii(bytes, at, end);
  return token !== '' && token.length < 30 && String(Number(token)) === token ? end : -1;
};

const readBoolean: ReadValue = (bytes, at, found) => {
  const ended = orNull(bytes, at, found);
  if (ended !== null) return ended;
  const token = bytes[at] === 0x74 ? 'true' : 'false';
  return ascii(bytes, at, at + token.length) === token ? at + token.length : -1;
};

/** `"YYYY-MM-DDTHH:MM:SS.fffZ"`, with up to six digits of a fraction. */
const readTimestamp: ReadValue = (bytes, at, found) => {
  const ended = orNull(bytes, at, found);
  if (ended !== null) return ended;
  const year = number(bytes, at + 1) * 100 + number(bytes, at + 3);
  const month = number(bytes, at + 6);
  const day = number(bytes, at + 9);
  if (bytes[at] !== QUOTE || !(year >= 1000) || !isDay(year, month, day)) return -1;
  if (bytes[at + 5] !== MINUS || bytes[at + 8] !== MINUS || bytes[at + 11] !== 0x54) return -1;
  if (bytes[at + 14] !== 0x3a || bytes[at + 17] !== 0x3a) return -1;
  if (!(number(bytes, at + 12) <= 23 && number(bytes, at + 15) <= 59 && number(bytes, at + 18) <= 59)) return -1;
  let end = at + 20;
  if (bytes[end] === POINT) {
    end = digits(bytes, at + 21);
    if (end < at + 22 || end > at + 27) return -1;
  }
  if (bytes[end] !== 0x5a || bytes[end + 1] !== QUOTE) return -1;
  found.day = year * 10_000 + month * 100 + day;
  return end + 2;
};

/** Any text; `"DD/MM/YYYY"` is a date where there is such a day. */
const readBusinessDate: ReadValue = (bytes, at, found) => {
  const ended = orNull(bytes, at, found);
  if (ended !== null) return ended;
  const end = text(bytes, at);
  found.day = 0;
  if (end !== at + 12 || bytes[at + 3] !== SLASH || bytes[at + 6] !== SLASH) return end;
  const day = number(bytes, at + 1);
  const month = number(bytes, at + 4);
  const year = number(bytes, at + 7) * 100 + number(bytes, at + 9);
  if (!(year >= 1) || !isDay(year, month, day)) return end;
  found.day = year * 10_000 + month * 100 + day;
  return end;
};

/** For each kind, what reads it; null: it cannot be judged by its look. */
export const READS: Readonly<Record<ColumnKind, ReadValue | null>> = {
  text: readText,
  integer: readInteger,
  decimal: readInteger,
  minorUnits: readInteger,
  double: readDouble,
  boolean: readBoolean,
  timestamp: readTimestamp,
  businessDate: readBusinessDate,
  json: null,
};

/** Where a null ends, or null where there is none. */
function orNull(bytes: Uint8Array, at: number, found: Found): number | null {
  found.isNull = bytes[at] === 0x6e;
  if (!found.isNull) return null;
  return bytes[at + 1] === 0x75 && bytes[at + 2] === 0x6c && bytes[at + 3] === 0x6c ? at + 4 : -1;
}

/** Where the digits end. */
function digits(bytes: Uint8Array, at: number): number {
  let end = at;
  while (bytes[end]! >= 0x30 && bytes[end]! <= 0x39) end++;
  return end;
}

/** The number that two digits are; NaN where they are none. */
function number(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : Number.NaN;
}

/** Whether there is such a day; a part that is no number is none. */
function isDay(year: number, month: number, day: number): boolean {
  if (!(month >= 1 && month <= 12 && day >= 1)) return false;
  if (day <= 28) return true;
  if (month === 2) return day === 29 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return day <= (month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31);
}

function ascii(bytes: Uint8Array, start: number, end: number): string {
  return String.fromCharCode(...bytes.subarray(start, end));
}
