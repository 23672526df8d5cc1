import { isUtf8 } from 'node:buffer';
import { type Column, parsedName, type Stream } from '../../schemas/stream.ts';
import type { Page } from '../contract.ts';
import { microsOf } from './instants.ts';
import { compilePlain, type EncodePlain, MOST_GROWTH } from './plain-code.ts';

/** Rows of a page in the form of binary COPY. */
export interface PlainRows {
  readonly records: number;
  readonly unparsedDates: number;
  /** Valid until the next page is encoded. */
  readonly data: Uint8Array;
  /** The columns of each row. What is not among them is null in all of them. */
  readonly columns: readonly string[];
}

/** Encodes pages that hold no surprise straight from their bytes. */
export interface PlainEncoder {
  /** @returns null when the page is not plain: then its mapped rows say what it holds. */
  encode(page: Page): PlainRows | null;
}

/** An order of fields that pages were seen to have. */
interface Shape {
  readonly columns: readonly string[];
  readonly encode: EncodePlain;
  /** The fewest bytes that a record can have. */
  readonly leastBytes: number;
}

/** Pages of a stream come in one order of fields, or a few; what comes in ever new ones is not plain. */
const MOST_SHAPES = 4;

const FIRST_BUFFER_BYTES = 1 << 20;

/** One serves all streams: encoding is synchronous. */
let buffer = Buffer.allocUnsafeSlow(FIRST_BUFFER_BYTES);

export function plainEncoder(stream: Stream): PlainEncoder {
  const byField = new Map(stream.columns.map((column) => [column.field, column]));
  const told = { records: 0, unparsedDates: 0 };
  const tail = Buffer.alloc(12);
  tail.writeInt32BE(8);
  let shapes: Shape[] = [];

  /** The order of fields that the page's first record shows; null when it is not one of declared fields alone. */
  function learn(records: Buffer): Shape | null {
    if (shapes.length === MOST_SHAPES) return null;
    const fields = firstFields(records);
    const columns = fields?.map((field) => byField.get(field));
    if (!columns?.every((column) => column !== undefined)) return null;
    if (!stream.primaryKey.every((name) => columns.some((column) => column.name === name))) return null;
    const shape = shapeOf(columns, stream.primaryKey);
    shapes = [...shapes, shape];
    return shape;
  }

  function attempt({ encode, columns, leastBytes }: Shape, records: Buffer): PlainRows | null {
    const rows = records.length / leastBytes + 1;
    const most = records.length + rows * (2 + tail.length + columns.length * MOST_GROWTH);
    if (buffer.length < most) buffer = Buffer.allocUnsafeSlow(Math.ceil(most * 1.5));
    const length = encode(records, 0, records.length, buffer, tail, told);
    return length < 0 ? null : { ...told, data: buffer.subarray(0, length), columns };
  }

  return {
    encode({ bytes, span, askedAt }) {
      if (span === null) return null;
      const records = Buffer.from(bytes.buffer, bytes.byteOffset + span.start, span.end - span.start);
      if (!isUtf8(records)) return null;
      tail.writeBigInt64BE(microsOf(askedAt), 4);
      for (const shape of shapes) {
        const rows = attempt(shape, records);
        if (rows === null) continue;
        // Most pages are like the one before.
        if (shape !== shapes[0]) shapes = [shape, ...shapes.filter((other) => other !== shape)];
        return rows;
      }
      const shape = learn(records);
      return shape === null ? null : attempt(shape, records);
    },
  };
}

function shapeOf(columns: readonly Column[], key: readonly string[]): Shape {
  return {
    columns: [
      ...columns.flatMap(({ name, kind }) => (kind === 'businessDate' ? [name, parsedName(name)] : [name])),
      '_synced_at',
    ],
    encode: compilePlain(columns, key),
    leastBytes: columns.reduce((sum, { field }) => sum + JSON.stringify(field).length + 3, 2),
  };
}

/** The names of the first record's fields in their order; null when it is no plain object. */
function firstFields(records: Buffer): string[] | null {
  const end = records.indexOf('},{');
  try {
    const record: unknown = JSON.parse(records.toString('utf8', 0, end < 0 ? records.length : end + 1));
    return typeof record === 'object' && record !== null ? Object.keys(record) : null;
  } catch {
    return null;
  }
}
