import { describe, expect, it } from 'vitest';
import { airbyteKinds } from '../destinations/airbyte/kinds.ts';
import { bigqueryKinds } from '../destinations/bigquery/kinds.ts';
import { duckdbKinds } from '../destinations/duckdb/kinds.ts';
import { memoryKinds } from '../destinations/memory/kinds.ts';
import { postgresKinds } from '../destinations/postgres/kinds.ts';
import { decodeJson } from '../schemas/decode.ts';
import { compileMapper } from '../schemas/mapper.ts';
import type { Mapping } from '../schemas/row.ts';
import { tableColumns } from '../schemas/stream.ts';
import { GRID, HAZARDS } from './fixtures/difficult/grid.ts';
import {
  DIFFICULT_STREAM,
  DIFFICULT_VALUES,
  difficultPage,
  outcomeIn,
  REFERENCE_KINDS,
} from './fixtures/difficult-values.ts';

const mapper = compileMapper(DIFFICULT_STREAM, REFERENCE_KINDS);
const syncedAt = '2026-06-01T12:00:00.000000Z';

/** The row by column name, without what is null. */
function named({ rows }: Mapping): Record<string, unknown> {
  const values = rows[0] ?? [];
  const names = tableColumns(DIFFICULT_STREAM);
  return Object.fromEntries(values.flatMap((value, at) => (value === null ? [] : [[names[at]!, value]])));
}

describe('fault 13: a difficult value comes out as is written beside it', () => {
  it.each(DIFFICULT_VALUES.filter(({ row }) => row !== null))('$what', (value) => {
    const mapping = mapper.map([decodeJson(value.record)], syncedAt);
    const { _extra = null, _changes = null, _synced_at, ...row } = named(mapping);
    expect(row).toEqual(value.row);
    expect(_extra).toBe(value.extra);
    expect(_changes === null ? [] : JSON.parse(_changes as string)).toEqual(value.changes);
    expect(_synced_at).toBe(syncedAt);
    expect(mapping.changedFields).toBe(value.changes.length);
    expect(mapping.unparsedDates).toBe(value.unparsedDates);
    expect(mapping.rejects).toEqual([]);
  });

  it.each(DIFFICULT_VALUES.filter(({ row }) => row === null))('fault 12: $what is a reject', ({ record, reject }) => {
    const mapping = mapper.map([decodeJson(record)], syncedAt);
    expect(mapping).toMatchObject({ rows: [], changedFields: 0, unparsedDates: 0 });
    expect(mapping.rejects).toEqual([{ id: expect.stringMatching(/^[0-9a-f]{64}$/), ...reject }]);
  });
});

/** The shared suite then finds the same in each database. */
describe('fault 13: what is written beside a value for a destination is what its mapper makes', () => {
  const destinations = {
    ...{ airbyte: airbyteKinds, bigquery: bigqueryKinds, duckdb: duckdbKinds },
    ...{ memory: memoryKinds, postgres: postgresKinds },
  };
  it.each(Object.entries(destinations))('%s', (name, kinds) => {
    const own = compileMapper(DIFFICULT_STREAM, kinds);
    for (const value of DIFFICULT_VALUES) {
      const mapping = own.map([decodeJson(value.record)], syncedAt);
      const { _extra = null, _changes = null, _synced_at, ...row } = named(mapping);
      const { reason, record } = mapping.rejects[0] ?? {};
      expect({
        what: value.what,
        row: mapping.rows.length === 0 ? null : row,
        extra: _extra,
        changes: _changes === null ? [] : JSON.parse(_changes as string),
        unparsedDates: mapping.unparsedDates,
        reject: mapping.rejects.length === 0 ? null : { reason, record },
      }).toEqual({ what: value.what, ...outcomeIn(name, value) });
    }
  });
});

describe('The difficult values', () => {
  it('are many, and each has a name of its own', () => {
    expect(DIFFICULT_VALUES.length).toBeGreaterThanOrEqual(80);
    expect(new Set(DIFFICULT_VALUES.map(({ what }) => what)).size).toBe(DIFFICULT_VALUES.length);
  });

  it('have each hazard in a column of each kind', () => {
    const inGrid = DIFFICULT_STREAM.columns.filter(({ name }) => Object.hasOwn(GRID, name));
    expect(new Set(inGrid.map(({ kind }) => kind))).toEqual(new Set(DIFFICULT_STREAM.columns.map(({ kind }) => kind)));
    for (const outcomes of Object.values(GRID))
      expect(Object.keys(outcomes).sort()).toEqual(Object.keys(HAZARDS).sort());
  });

  it('map in one page as they do alone', () => {
    const page = decodeJson(difficultPage()) as { body: { rows: unknown[] } };
    const together = mapper.map(page.body.rows, syncedAt);
    const alone = DIFFICULT_VALUES.map(({ record }) => mapper.map([decodeJson(record)], syncedAt));
    expect(together.rows).toEqual(alone.flatMap(({ rows }) => rows));
    expect(together.rejects).toEqual(alone.flatMap(({ rejects }) => rejects));
    expect(together.changedFields).toBe(DIFFICULT_VALUES.flatMap(({ changes }) => changes).length);
    expect(together.unparsedDates).toBe(DIFFICULT_VALUES.filter(({ unparsedDates }) => unparsedDates === 1).length);
  });
});
