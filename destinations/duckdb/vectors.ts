import type { DuckDBAppender, DuckDBDataChunk } from '@duckdb/node-api';
import type { RowValues } from '../../schemas/row.ts';
import { systemError } from '../failure.ts';
import { CHUNK_ROWS, chunkBytes, createChunk, fillChunk } from './encode.ts';
import type { NativeType } from './kinds.ts';

/** Rows in DuckDB's own form, which are appended once. */
export interface Vectors {
  /** Memory held until then, and no more after it. */
  readonly bytes: number;
  appendTo(appender: DuckDBAppender): void;
}

/**
 * Makes rows into vectors as soon as they come: as JavaScript values they would wait for their commit as millions of objects, and cost
 * the garbage collector more than all else (measured: a fifth of all CPU, and 270 MB). Vectors lie outside of V8's heap,
 * which does not see how much they hold and would let them go much too late: so they are used again.
 */
export interface VectorPool {
  encode(types: readonly NativeType[], rows: readonly RowValues[]): Vectors;
}

/** @param maxBytes what may be kept of vectors that are not in use. */
export function vectorPool(maxBytes: number): VectorPool {
  const unused = new Map<string, { readonly bytes: number; readonly chunks: DuckDBDataChunk[] }>();
  let unusedBytes = 0;

  function take(types: readonly NativeType[]): DuckDBDataChunk {
    const pooled = unused.get(types.join());
    const chunk = pooled?.chunks.pop();
    if (chunk !== undefined) unusedBytes -= pooled!.bytes;
    return chunk ?? createChunk(types);
  }

  function giveBack(types: readonly NativeType[], chunks: readonly DuckDBDataChunk[]): void {
    const key = types.join();
    const pooled = unused.get(key) ?? { bytes: chunkBytes(types), chunks: [] };
    unused.delete(key);
    unused.set(key, pooled);
    for (const chunk of chunks) {
      chunk.reset();
      pooled.chunks.push(chunk);
      unusedBytes += pooled.bytes;
    }
    shrink();
  }

  /** Lets go of those first that have not been used for longest. */
  function shrink(): void {
    for (const [key, { bytes, chunks }] of unused) {
      while (unusedBytes > maxBytes && chunks.pop()) unusedBytes -= bytes;
      if (unusedBytes <= maxBytes) return;
      unused.delete(key);
    }
  }

  return {
    encode(types, rows) {
      let chunks: DuckDBDataChunk[] | null = [];
      let textBytes = 0;
      for (let start = 0; start < rows.length; start += CHUNK_ROWS) {
        const chunk = take(types);
        textBytes += fillChunk(chunk, types, rows, start);
        chunks.push(chunk);
      }
      return {
        bytes: chunks.length * chunkBytes(types) + textBytes,
        appendTo(appender) {
          if (chunks === null) throw committedTwice();
          const filled = chunks;
          chunks = null;
          for (const chunk of filled) appender.appendDataChunk(chunk);
          giveBack(types, filled);
        },
      };
    },
  };
}

/**
 * Rows that are few enough to wait as they are: a chunk takes the same memory for one row as for 2048.
 *
 * @param textBytes about what their texts take in memory.
 */
export function rowVectors(types: readonly NativeType[], rows: readonly RowValues[], textBytes = 0): Vectors {
  let left: readonly RowValues[] | null = rows;
  return {
    bytes: rows.length * (ROW_BYTES + VALUE_BYTES * types.length) + textBytes,
    appendTo(appender) {
      if (left === null) throw committedTwice();
      const taken = left;
      left = null;
      const chunk = createChunk(types);
      for (let start = 0; start < taken.length; start += CHUNK_ROWS) {
        fillChunk(chunk, types, taken, start);
        appender.appendDataChunk(chunk);
      }
    },
  };
}

const committedTwice = () => systemError('a prepared page was committed twice');

/** What a list, and a value in it, take in V8 beside the text. */
const ROW_BYTES = 48;
const VALUE_BYTES = 24;
