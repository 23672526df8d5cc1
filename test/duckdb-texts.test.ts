import { DuckDBInstance } from '@duckdb/node-api';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CHUNK_ROWS, createChunk, fillChunk } from '../destinations/duckdb/encode.ts';

/** A text of a kind and length of its own: empty, in the vector itself, one of those that lie together, alone. */
const text = fc.oneof(
  fc.string({ maxLength: 14 }),
  fc.string({ unit: 'grapheme', maxLength: 14 }),
  fc.string({ unit: fc.constantFrom('a', 'ü', '€', '😀'), minLength: 11, maxLength: 14 }),
  fc.string({ minLength: 11, maxLength: 60 }),
  fc.string({ unit: 'grapheme', minLength: 11, maxLength: 60 }),
  fc.integer({ min: 4090, max: 4100 }).map((length) => 'x'.repeat(length)),
  fc.constant(null),
);

describe('Texts in vectors of DuckDB', () => {
  let instance: DuckDBInstance;
  beforeAll(async () => {
    instance = await DuckDBInstance.create(':memory:');
  });
  afterAll(() => instance.closeSync());

  /** What DuckDB holds once each of the lists has been appended, all from one chunk; `same`: whether it equals what DuckDB makes of it. */
  async function stored(...lists: (string | null)[][]): Promise<{ value: unknown; same: unknown }[]> {
    const connection = await instance.connect();
    try {
      await connection.run('create or replace table t (place varchar, "value" varchar)');
      const appender = await connection.createAppender('t');
      const chunk = createChunk(['varchar', 'varchar']);
      let at = 0;
      for (const list of lists) {
        fillChunk(
          chunk,
          ['varchar', 'varchar'],
          list.map((value) => [String(at++).padStart(9, '0'), value]),
          0,
        );
        appender.appendDataChunk(chunk);
      }
      appender.closeSync();
      const reader = await connection.runAndReadAll(
        `select "value", "value" is not distinct from ("value" || '') as same from t order by place`,
      );
      return reader.getRowObjectsJS() as { value: unknown; same: unknown }[];
    } finally {
      connection.closeSync();
    }
  }

  it('are what they were, and equal to what DuckDB makes itself', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1 }), fc.array(text, { minLength: 1 }), async (first, second) => {
        // What a text cannot hold, the mapper has taken out.
        const storable = (list: (string | null)[]) =>
          list.map((value) => value?.replaceAll('\0', '').toWellFormed() ?? null);
        const all = [storable(first), storable(second)];
        expect(await stored(...all)).toEqual(all.flat().map((value) => ({ value, same: true })));
      }),
      { numRuns: 200 },
    );
  });

  it('fill a chunk, of one kind or of all', async () => {
    const kinds = [
      '',
      'short',
      'twelve bytes',
      'thirteen byte',
      'twölve bytes',
      'a longer one, ünd no ASCII',
      null,
      'y'.repeat(5000),
    ];
    for (const pick of [...kinds.map((kind) => () => kind), (at: number) => kinds[at % kinds.length]!]) {
      const list = Array.from({ length: CHUNK_ROWS }, (_, at) => pick(at));
      const rows = await stored(list);
      expect(rows.map(({ value }) => value)).toEqual(list);
      expect(rows.every(({ same }) => same === true)).toBe(true);
    }
  });
});
