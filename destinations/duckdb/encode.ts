import {
  BIGINT,
  BOOLEAN,
  DATE,
  DECIMAL,
  DOUBLE,
  DuckDBDataChunk,
  type DuckDBType,
  TIMESTAMPTZ,
  VARCHAR,
} from '@duckdb/node-api';
import duckdb, { type Vector } from '@duckdb/node-bindings';
import type { RowValues, Value } from '../../schemas/row.ts';
import type { NativeType } from './kinds.ts';
import { epochDay, writeDecimal, writeInstant, writeInteger } from './numbers.ts';
import { createTexts, TEXT_BYTES } from './texts.ts';

/**
 * Rows as values of `KindValues` become vectors of DuckDB, a column at a time, and each value at once in the form that DuckDB keeps it
 * in: its client's own way makes two or three objects of each.
 */

/** The most rows that a data chunk of DuckDB takes. */
export const CHUNK_ROWS = 2048;

interface Encoding {
  readonly type: DuckDBType;
  /** What a value takes in a vector. */
  readonly bytes: number;
  /** Writes a value at an offset; null for texts, which are written together. */
  readonly write: ((to: DataView, at: number, value: NonNullable<Value>) => void) | null;
}

const encodings: Readonly<Record<NativeType, Encoding>> = {
  varchar: { type: VARCHAR, bytes: TEXT_BYTES, write: null },
  json: { type: VARCHAR, bytes: TEXT_BYTES, write: null },
  boolean: { type: BOOLEAN, bytes: 1, write: (to, at, value) => to.setUint8(at, value === true ? 1 : 0) },
  double: { type: DOUBLE, bytes: 8, write: (to, at, value) => to.setFloat64(at, value as number, true) },
  bigint: { type: BIGINT, bytes: 8, write: writeInteger },
  'decimal(38,9)': { type: DECIMAL(38, 9), bytes: 16, write: writeDecimal },
  timestamptz: { type: TIMESTAMPTZ, bytes: 8, write: (to, at, value) => writeInstant(to, at, value as string) },
  date: { type: DATE, bytes: 4, write: (to, at, value) => to.setInt32(at, epochDay(value as string), true) },
};

/** A chunk for rows of these columns. */
export function createChunk(types: readonly NativeType[]): DuckDBDataChunk {
  return DuckDBDataChunk.create(types.map((type) => encodings[type].type));
}

/** What a chunk holds in memory, full or not, texts of more than 12 bytes apart. */
export function chunkBytes(types: readonly NativeType[]): number {
  return types.reduce((sum, type) => sum + encodings[type].bytes, 0) * CHUNK_ROWS;
}

/** Where the values of one column are written before they are copied; which of its rows have one, a bit each; whether one has none. */
const values = new DataView(new ArrayBuffer(CHUNK_ROWS * 16));
const present = new Uint8Array(new ArrayBuffer(CHUNK_ROWS / 8)).fill(0xff);
let isMissing = false;
const texts = createTexts(CHUNK_ROWS);

/**
 * Fills a chunk with the rows from `start` on, as many as it takes.
 *
 * @returns about how many bytes of text it holds outside of its vectors.
 */
export function fillChunk(
  { chunk }: DuckDBDataChunk,
  types: readonly NativeType[],
  rows: readonly RowValues[],
  start: number,
): number {
  const count = Math.min(CHUNK_ROWS, rows.length - start);
  let textBytes = 0;
  duckdb.data_chunk_reset(chunk);
  duckdb.data_chunk_set_size(chunk, count);
  for (let at = 0; at < types.length; at++) {
    const vector = duckdb.data_chunk_get_vector(chunk, at);
    const { bytes, write } = encodings[types[at]!];
    if (write === null) textBytes += fillTexts(vector, rows, start, count, at);
    else {
      fillValues(write, bytes, rows, start, count, at);
      duckdb.copy_data_to_vector(vector, 0, values.buffer as ArrayBuffer, 0, count * bytes);
    }
    if (isMissing) markMissing(vector);
  }
  return textBytes;
}

function fillValues(
  write: NonNullable<Encoding['write']>,
  bytes: number,
  rows: readonly RowValues[],
  start: number,
  count: number,
  column: number,
): void {
  for (let item = 0; item < count; item++) {
    const value = rows[start + item]![column] ?? null;
    if (value !== null) write(values, item * bytes, value);
    else miss(item);
  }
}

function fillTexts(vector: Vector, rows: readonly RowValues[], start: number, count: number, column: number): number {
  for (let item = 0; item < count; item++) {
    const value = (rows[start + item]![column] ?? null) as string | null;
    texts.add(value);
    if (value === null) miss(item);
  }
  return texts.writeTo(vector);
}

function miss(item: number): void {
  present[item >> 3]! &= ~(1 << (item & 7));
  isMissing = true;
}

function markMissing(vector: Vector): void {
  duckdb.vector_ensure_validity_writable(vector);
  duckdb.copy_data_to_vector_validity(vector, 0, present.buffer, 0, present.byteLength);
  present.fill(0xff);
  isMissing = false;
}
