import { isDay } from '../../schemas/dates.ts';
import type { ColumnKind } from '../../schemas/kinds.ts';

/**
 * Reads the values of plain pages from their bytes and writes them as a RECORD has them. What is plain is told here alone: anything
 * else a value could be is a surprise, and rows are then made the ordinary way.
 */

/** A place in a page's bytes and one in the bytes that are made of it. */
export interface Tape {
  readonly from: Uint8Array;
  at: number;
  to: Uint8Array;
  end: number;
}

/** Copies the value at the tape's place, and what a RECORD has in addition; false when it is a surprise. */
export type CopyValue = (tape: Tape) => boolean;

const QUOTE = 34;
const MINUS = 45;
const POINT = 46;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const T = 84;
const Z = 90;
const BACKSLASH = 92;
const N = 110;

/** More digits than these a double may not hold. */
const MOST_DIGITS = 15;

/** How each kind's plain value is copied, null included; null for a kind that has none. `afterDate` is what precedes a parsed date. */
export function copyFor(kind: ColumnKind, afterDate: Uint8Array): CopyValue {
  switch (kind) {
    case 'text':
      return (tape) => copyText(tape) || copyNull(tape);
    case 'integer':
    case 'decimal':
    case 'minorUnits':
    case 'double':
      return (tape) => copyInteger(tape) || copyNull(tape);
    case 'boolean':
      return (tape) => copyWord(tape, TRUE) || copyWord(tape, FALSE) || copyNull(tape);
    case 'timestamp':
      return (tape) => copyInstant(tape) || copyNull(tape);
    case 'businessDate':
      return (tape) => copyDate(tape, afterDate) || (copyNull(tape) && put(tape, afterDate) && put(tape, NULL));
    case 'json':
      return copyNull;
  }
}

const NULL = Buffer.from('null');
const TRUE = Buffer.from('true');
const FALSE = Buffer.from('false');

function copyNull(tape: Tape): boolean {
  return tape.from[tape.at] === N && copyWord(tape, NULL);
}

/** Copies exactly this word, or nothing. */
export function copyWord(tape: Tape, word: Uint8Array): boolean {
  const { from, at, to, end } = tape;
  for (let i = 0; i < word.length; i++) {
    if (from[at + i] !== word[i]) return false;
    to[end + i] = word[i]!;
  }
  tape.at = at + word.length;
  tape.end = end + word.length;
  return true;
}

/** Writes bytes that the page does not have. */
export function put(tape: Tape, bytes: Uint8Array): true {
  const { to, end } = tape;
  if (bytes.length > 40) to.set(bytes, end);
  else for (let i = 0; i < bytes.length; i++) to[end + i] = bytes[i]!;
  tape.end = end + bytes.length;
  return true;
}

/** Text in which nothing is escaped. */
export function copyText(tape: Tape): boolean {
  const { from, to } = tape;
  let { at, end } = tape;
  if (from[at] !== QUOTE) return false;
  to[end++] = QUOTE;
  for (at += 1; ; at++) {
    const byte = from[at]!;
    if (byte === BACKSLASH || !(byte >= 32)) return false;
    to[end++] = byte;
    if (byte === QUOTE) break;
  }
  tape.at = at + 1;
  tape.end = end;
  return true;
}

/** A whole number that a double holds, spelled as JavaScript spells it. */
function copyInteger(tape: Tape): boolean {
  const { from, to } = tape;
  let { at, end } = tape;
  if (from[at] === MINUS) to[end++] = from[at++]!;
  const first = at;
  for (; isDigit(from[at]!); at++) to[end++] = from[at]!;
  const digits = at - first;
  if (digits === 0 || digits > MOST_DIGITS) return false;
  if (from[first] === ZERO && (digits > 1 || from[first - 1] === MINUS)) return false;
  // A fraction or an exponent goes on here; the caller, who looks for what must follow, takes it for a surprise.
  tape.at = at;
  tape.end = end;
  return true;
}

/** `"YYYY-MM-DDTHH:MM:SS.mmmZ"`, which gets three more digits. */
function copyInstant(tape: Tape): boolean {
  const { from, at, to, end } = tape;
  if (from[at] !== QUOTE || from[at + 11] !== T || from[at + 20] !== POINT) return false;
  if (from[at + 24] !== Z || from[at + 25] !== QUOTE) return false;
  if (from[at + 5] !== MINUS || from[at + 8] !== MINUS || from[at + 14] !== COLON || from[at + 17] !== COLON)
    return false;
  const year = yearAt(from, at + 1);
  if (year < 1 || !isDay(year, two(from, at + 6), two(from, at + 9))) return false;
  if (!isIn(two(from, at + 12), 23) || !isIn(two(from, at + 15), 59) || !isIn(two(from, at + 18), 59)) return false;
  if (!isDigit(from[at + 21]!) || !isDigit(from[at + 22]!) || !isDigit(from[at + 23]!)) return false;
  for (let i = 0; i < 24; i++) to[end + i] = from[at + i]!;
  to[end + 24] = to[end + 25] = to[end + 26] = ZERO;
  to[end + 27] = Z;
  to[end + 28] = QUOTE;
  tape.at = at + 26;
  tape.end = end + 29;
  return true;
}

/** `"DD/MM/YYYY"`, which is followed by the same day as a date. */
function copyDate(tape: Tape, afterDate: Uint8Array): boolean {
  const { from, at, to } = tape;
  if (from[at] !== QUOTE || from[at + 3] !== SLASH || from[at + 6] !== SLASH || from[at + 11] !== QUOTE) return false;
  const year = yearAt(from, at + 7);
  if (year < 1 || !isDay(year, two(from, at + 4), two(from, at + 1))) return false;
  for (let i = 0; i < 12; i++) to[tape.end + i] = from[at + i]!;
  tape.at = at + 12;
  tape.end += 12;
  put(tape, afterDate);
  const { end } = tape;
  to[end] = to[end + 11] = QUOTE;
  for (let i = 0; i < 4; i++) to[end + 1 + i] = from[at + 7 + i]!;
  to[end + 5] = to[end + 8] = MINUS;
  to[end + 6] = from[at + 4]!;
  to[end + 7] = from[at + 5]!;
  to[end + 9] = from[at + 1]!;
  to[end + 10] = from[at + 2]!;
  tape.end = end + 12;
  return true;
}

/** The year that four digits make, or -1 where they are none. */
function yearAt(bytes: Uint8Array, at: number): number {
  const century = two(bytes, at);
  const year = two(bytes, at + 2);
  return century < 0 || year < 0 ? -1 : century * 100 + year;
}

/** The number that two digits make, or -1 where they are none. */
function two(bytes: Uint8Array, at: number): number {
  const tens = bytes[at]! - ZERO;
  const ones = bytes[at + 1]! - ZERO;
  return isIn(tens, 9) && isIn(ones, 9) ? tens * 10 + ones : -1;
}

function isIn(value: number, max: number): boolean {
  return value >= 0 && value <= max;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}
