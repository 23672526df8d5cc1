import type { ColumnKind } from '../../schemas/kinds.ts';
import type { Column } from '../../schemas/stream.ts';
import { EMPTY_DAY, plainDay, plainInstant } from './plain-dates.ts';

/**
 * Source of a function that turns the bytes of plain records straight into rows of binary COPY: no string and no object is made for a
 * row. It knows one order of fields, and it gives up at the first byte that is a surprise; what it does not give up on, it encodes as
 * `rowEncoder` encodes what the mapper makes of the same records, which `test/postgres-plain.test.ts` proves.
 */

/**
 * @param from the records' bytes, one after the other with a comma between, from `start` to `end`.
 * @param into where the rows are written, from its beginning: large enough for all of them.
 * @param tail what each row ends with.
 * @param told told how many records there were and how many of their business dates are none.
 * @returns the length of what was written; -1 when there was a surprise.
 */
export type EncodePlain = (
  from: Uint8Array,
  start: number,
  end: number,
  into: Buffer,
  tail: Uint8Array,
  told: { records: number; unparsedDates: number },
) => number;

/** A longer key is no key. */
const LONGEST_KEY = 1024;

/** The most bytes that a value takes in a row beyond those that it takes in its record. */
export const MOST_GROWTH = 24;

/** @param columns those of the record's fields, in the order of the fields; none is of kind `json`. */
export function compilePlain(columns: readonly Column[], key: readonly string[]): EncodePlain {
  const fields = columns.reduce((count, { kind }) => count + (kind === 'businessDate' ? 2 : 1), 0);
  const source = `
const length = into.length;
let i = start, o = 0, records = 0, unparsed = 0, c = 0, s = 0, t = 0, n = 0, v = 0, w = 0, negative = false;
while (true) {
  into[o++] = ${(fields + 1) >> 8}; into[o++] = ${(fields + 1) & 255};
${columns.map((column, at) => readField(column, at === 0, key.includes(column.name))).join('\n')}
  if (from[i++] !== 125) return -1;
  for (t = 0; t < tail.length; t++) into[o++] = tail[t];
  records++;
  if (i === end) break;
  if (from[i++] !== 44) return -1;
}
told.records = records;
told.unparsedDates = unparsed;
return o;`;
  const make = new Function(
    'day',
    'instant',
    'EMPTY_DAY',
    'number',
    `'use strict'; return (from, start, end, into, tail, told) => {${source}\n};`,
  );
  return make(plainDay, plainInstant, EMPTY_DAY, plainNumber) as EncodePlain;
}

function readField(column: Column, isFirst: boolean, isKey: boolean): string {
  const name = Buffer.from(`${isFirst ? '{' : ','}${JSON.stringify(column.field)}:`);
  const read = READERS[column.kind];
  const nothing = isKey ? 'return -1;' : `i += 4; ${NULL}${column.kind === 'businessDate' ? ` ${NULL}` : ''}`;
  return `
  // ${JSON.stringify(column.name)}
  if (${[...name].map((byte, at) => `from[i + ${at}] !== ${byte}`).join(' || ')}) return -1;
  i += ${name.length};
  if (from[i] === 110) {
    if (from[i + 1] !== 117 || from[i + 2] !== 108 || from[i + 3] !== 108) return -1;
    ${nothing}
  } else {${read}${isKey && (column.kind === 'text' || column.kind === 'businessDate') ? KEY_CHECK : ''}
  }`;
}

const NULL = 'into[o] = into[o + 1] = into[o + 2] = into[o + 3] = 255; o += 4;';

/** Writes an integer of 32 bits. */
const int32 = (value: string) =>
  `into[o] = ${value} >>> 24; into[o + 1] = ${value} >>> 16; into[o + 2] = ${value} >>> 8; into[o + 3] = ${value}; o += 4;`;

/** The bytes between quotation marks: no escape and no control character. `n` is how many they are, `s` where they begin. */
const TEXT = `
    if (from[i++] !== 34) return -1;
    s = i;
    t = o + 4;
    while ((c = from[i]) !== 34) {
      if (!(c >= 32) || c === 92) return -1;
      into[t++] = c;
      i++;
    }
    i++;
    n = t - o - 4;
    ${int32('n')}
    o = t;`;

const KEY_CHECK = `
    if (n === 0 || n > ${LONGEST_KEY}) return -1;`;

/** A number of up to 15 digits, without fraction, exponent, or a zero in front; not zero below zero. `v` is its amount. */
const DIGITS = `
    negative = from[i] === 45;
    if (negative) i++;
    s = i;
    v = 0;
    while ((c = from[i] - 48) >= 0 && c <= 9) {
      v = v * 10 + c;
      i++;
    }
    n = i - s;
    if (n === 0 || n > 15 || (from[s] === 48 && (n > 1 || negative))) return -1;
    if (from[i] !== 44 && from[i] !== 125) return -1;`;

/** Writes `v`, an amount below 2^53, as an integer of 64 bits. */
const INT64 = `
    into[o] = into[o + 1] = into[o + 2] = 0; into[o + 3] = 8; o += 4;
    w = Math.floor(v / 4294967296);
    v = v >>> 0;
    if (negative) {
      v = -v >>> 0;
      w = v === 0 ? -w : ~w;
    }
    ${int32('w')}
    ${int32('v')}`;

/** Numeric's groups of four digits, `w` their count; those of zeros at either end are left out. */
const NUMERIC = `
    if (v === 0) {
      into[o] = into[o + 1] = into[o + 2] = 0; into[o + 3] = 8;
      into[o + 4] = into[o + 5] = into[o + 6] = into[o + 7] = into[o + 8] = into[o + 9] = into[o + 10] = into[o + 11] = 0;
      o += 12;
    } else {
      let groups = v < 1e4 ? 1 : v < 1e8 ? 2 : v < 1e12 ? 3 : 4;
      const weight = groups - 1;
      while (v % 10000 === 0) {
        v /= 10000;
        groups--;
      }
      n = 8 + groups * 2;
      ${int32('n')}
      into[o] = 0; into[o + 1] = groups; into[o + 2] = 0; into[o + 3] = weight;
      into[o + 4] = negative ? 64 : 0; into[o + 5] = into[o + 6] = into[o + 7] = 0;
      o += 8;
      for (t = o + groups * 2 - 2; t >= o; t -= 2) {
        w = Math.floor(v / 10000);
        c = v - w * 10000;
        into[t] = c >> 8;
        into[t + 1] = c;
        v = w;
      }
      o += groups * 2;
    }`;

const DOUBLE = `
    s = i;
    while ((c = from[i]) !== 44 && c !== 125) {
      if (!(c >= 43 && c <= 57) && c !== 69 && c !== 101) return -1;
      i++;
    }
    v = number(from, s, i);
    if (v !== v) return -1;
    into[o] = into[o + 1] = into[o + 2] = 0; into[o + 3] = 8;
    into.writeDoubleBE(v, o + 4);
    o += 12;`;

const BOOLEAN = `
    into[o] = into[o + 1] = into[o + 2] = 0; into[o + 3] = 1;
    if (from[i] === 116 && from[i + 1] === 114 && from[i + 2] === 117 && from[i + 3] === 101) {
      into[o + 4] = 1;
      i += 4;
    } else if (from[i] === 102 && from[i + 1] === 97 && from[i + 2] === 108 && from[i + 3] === 115 && from[i + 4] === 101) {
      into[o + 4] = 0;
      i += 5;
    } else return -1;
    o += 5;`;

const TIMESTAMP = `
    v = instant(from, i);
    if (v !== v) return -1;
    i += 26;
    negative = v < 0;
    if (negative) v = -v;${INT64}`;

const BUSINESS_DATE = `${TEXT}
    v = n === 10 ? day(from, s) : EMPTY_DAY;
    if (v === EMPTY_DAY) {
      ${NULL}
      unparsed++;
    } else {
      into[o] = into[o + 1] = into[o + 2] = 0; into[o + 3] = 4; o += 4;
      ${int32('v')}
    }`;

const READERS: Readonly<Record<ColumnKind, string>> = {
  text: TEXT,
  integer: DIGITS + INT64,
  decimal: DIGITS + NUMERIC,
  minorUnits: DIGITS + NUMERIC,
  double: DOUBLE,
  boolean: BOOLEAN,
  timestamp: TIMESTAMP,
  businessDate: BUSINESS_DATE,
  // JSON is written anew by the mapper: only where there is none nothing can differ.
  json: ' return -1;',
};

/** The number that a JSON number says, if it is written as JavaScript writes it; else NaN. */
function plainNumber(from: Uint8Array, start: number, end: number): number {
  const text = String.fromCharCode(...from.subarray(start, end));
  const value = Number(text);
  return String(value) === text && Number.isFinite(value) ? value : Number.NaN;
}
