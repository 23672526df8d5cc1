import type { RowValues, Value } from '../../schemas/row.ts';
import { daysOf, microsOf } from './instants.ts';
import type { NativeColumn, NativeType } from './kinds.ts';

/**
 * Rows in the form of binary COPY: https://www.postgresql.org/docs/current/sql-copy.html#SQL-COPY-FILE-FORMATS. A page is encoded as it
 * arrives, so that a commit has nothing left to do but to send.
 */

/** `PGCOPY\n\377\r\n\0`, no flags, no header extension. */
export const COPY_HEADER = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex');
export const COPY_TRAILER = Buffer.from('ffff', 'hex');

/** Memory that is written from its beginning, and grows. */
export interface Scratch {
  bytes: Buffer;
  length: number;
}

const FIRST_SCRATCH_BYTES = 1 << 20;

/** One serves all pages: encoding is synchronous, and what is kept of it is a copy of its exact size. */
const scratch: Scratch = { bytes: Buffer.allocUnsafeSlow(FIRST_SCRATCH_BYTES), length: 0 };

/** Makes room for `bytes` more. */
export function reserve(into: Scratch, bytes: number): void {
  if (into.length + bytes <= into.bytes.length) return;
  const grown = Buffer.allocUnsafeSlow(Math.max(into.bytes.length * 2, into.length + bytes));
  into.bytes.copy(grown, 0, 0, into.length);
  into.bytes = grown;
}

type Encode = (value: NonNullable<Value>, into: Scratch) => void;

/** Each writes the length of a value and the value. */
const encodings: { readonly [T in NativeType]: Encode } = {
  text: (value, into) => writeText(value as string, into, false),
  jsonb: (value, into) => writeText(value as string, into, true),
  bigint: (value, into) => writeInteger(BigInt(value), into),
  timestamptz: (value, into) => writeInteger(microsOf(value as string), into),
  date: (value, into) => {
    into.bytes.writeInt32BE(4, into.length);
    into.bytes.writeInt32BE(daysOf(value as string), into.length + 4);
    into.length += 8;
  },
  'double precision': (value, into) => {
    into.bytes.writeInt32BE(8, into.length);
    into.bytes.writeDoubleBE(value as number, into.length + 4);
    into.length += 12;
  },
  boolean: (value, into) => {
    into.bytes.writeInt32BE(1, into.length);
    into.bytes[into.length + 4] = value === true ? 1 : 0;
    into.length += 5;
  },
  numeric: (value, into) => writeNumeric(String(value), into),
};

/** Room for the length and any value but text, JSON and long numbers, which make their own. */
const FIXED_BYTES = 64;

/** @returns an encoder of rows with these columns: gives their bytes, without COPY's header and trailer. */
export function rowEncoder(columns: readonly NativeColumn[]): (rows: readonly RowValues[]) => Buffer {
  const encoders = columns.map(({ type }) => encodings[type]);
  return (rows) => {
    scratch.length = 0;
    for (const row of rows) {
      reserve(scratch, FIXED_BYTES);
      scratch.bytes.writeInt16BE(encoders.length, scratch.length);
      scratch.length += 2;
      for (let at = 0; at < encoders.length; at++) {
        const value = row[at] ?? null;
        reserve(scratch, FIXED_BYTES);
        if (value !== null) encoders[at]!(value, scratch);
        else {
          scratch.bytes.writeInt32BE(-1, scratch.length);
          scratch.length += 4;
        }
      }
    }
    return Buffer.from(scratch.bytes.subarray(0, scratch.length));
  };
}

/** UTF-8 takes at most three bytes a unit of UTF-16. JSON has a version in front. */
function writeText(text: string, into: Scratch, isJson: boolean): void {
  reserve(into, 5 + text.length * 3);
  const start = into.length + 4;
  if (isJson) into.bytes[start] = 1;
  const from = isJson ? start + 1 : start;
  const end = from + into.bytes.write(text, from, 'utf8');
  into.bytes.writeInt32BE(end - start, into.length);
  into.length = end;
}

function writeInteger(value: bigint, into: Scratch): void {
  into.bytes.writeInt32BE(8, into.length);
  into.bytes.writeBigInt64BE(value, into.length + 4);
  into.length += 12;
}

/** Numeric's digits are groups of four, counted from the point; `text` is a plain decimal number. */
function writeNumeric(text: string, into: Scratch): void {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const padded =
    whole.padStart(Math.ceil(whole.length / 4) * 4, '0') + fraction.padEnd(Math.ceil(fraction.length / 4) * 4, '0');
  const groups = padded.length / 4;
  let first = 0;
  while (first < groups && padded.startsWith('0000', first * 4)) first += 1;
  let end = groups;
  while (end > first && padded.startsWith('0000', (end - 1) * 4)) end -= 1;
  const digits = end - first;
  reserve(into, 12 + digits * 2);
  const { bytes } = into;
  let at = into.length;
  bytes.writeInt32BE(8 + digits * 2, at);
  bytes.writeInt16BE(digits, at + 4);
  bytes.writeInt16BE(digits === 0 ? 0 : Math.ceil(whole.length / 4) - 1 - first, at + 6);
  bytes.writeUInt16BE(negative && digits > 0 ? 0x4000 : 0, at + 8);
  bytes.writeUInt16BE(fraction.length, at + 10);
  at += 12;
  for (let group = first; group < end; group++, at += 2)
    bytes.writeInt16BE(Number(padded.slice(group * 4, group * 4 + 4)), at);
  into.length = at;
}
