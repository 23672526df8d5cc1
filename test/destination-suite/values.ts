import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseDecimal, plainText } from '../../schemas/decimal.ts';
import { decodeJson } from '../../schemas/decode.ts';
import { writeJson } from '../../schemas/json.ts';
import type { ColumnKind } from '../../schemas/kinds.ts';
import { compileMapper } from '../../schemas/mapper.ts';
import { STREAMS } from '../../schemas/registry.ts';
import type { Value } from '../../schemas/row.ts';
import { type Stream, tableColumns } from '../../schemas/stream.ts';
import { DIFFICULT_STREAM, DIFFICULT_VALUES, difficultPage, outcomeIn } from '../fixtures/difficult-values.ts';
import { at } from './streams.ts';
import { newPosition, pageOfBytes, type Row, type Visit } from './visit.ts';

const FIXTURES = new URL('../fixtures/', import.meta.url);
/** When the pages of the reviewed rows were asked for. */
const REVIEWED_AT = '2026-06-01T12:00:00.000000Z';

/** The records of a stream's sample page, as they came. */
function readRecords({ name }: Stream): Buffer {
  const page = readFileSync(new URL(`pages/${name}.json`, FIXTURES));
  return Buffer.from(
    writeJson((decodeJson(page) as { body: { rows: unknown[] } }).body.rows, { holdsNumber: () => true }).text,
  );
}

/** Faults 11 to 13: every value that is hard to land comes out as is written beside it for the destination of this name. */
export function valuesSuite(name: string, visit: Visit): void {
  test('gives every difficult value back exactly as is written beside it', async () => {
    const { table, destination } = await visit.open([DIFFICULT_STREAM]);
    const records = (decodeJson(difficultPage()) as { body: { rows: unknown[] } }).body.rows;
    const mapper = compileMapper(DIFFICULT_STREAM, destination.kinds);
    const written = table(DIFFICULT_STREAM);
    const page = { bytes: difficultPage(), askedAt: at(1), span: null, rows: () => mapper.map(records, at(1)) };
    const changes = [{ type: 'begin', position: newPosition(DIFFICULT_STREAM) }] as const;
    const done = await written.commit({ pages: [written.prepare(page)], changes, refresh: null });
    const outcomes = DIFFICULT_VALUES.map((value) => outcomeIn(name, value));
    const rows = outcomes.flatMap(({ row, ...more }) => (row === null ? [] : [{ ...more, row }]));
    const keys = new Set(rows.map(({ row }) => row.public_id));
    expect(keys.size).toBe(rows.length);
    const rejected = outcomes.flatMap(({ reject }) => reject ?? []);
    expect(done).toEqual({
      written: rows.length,
      unchanged: 0,
      changedFields: outcomes.flatMap((outcome) => outcome.changes).length,
      unparsedDates: outcomes.reduce((sum, { unparsedDates }) => sum + unparsedDates, 0),
      rejects: rejected.length,
      repeatedKeys: 0,
    });

    const byKey = new Map((await visit.rows(DIFFICULT_STREAM.name)).map((row) => [row.public_id, row]));
    expect(byKey.size).toBe(keys.size);
    const empty = Object.fromEntries(tableColumns(DIFFICULT_STREAM).map((column) => [column, null]));
    for (const { row, extra, changes: changed } of rows) {
      const ours = { _synced_at: at(1), _extra: extra, _changes: changed.length > 0 ? JSON.stringify(changed) : null };
      expect(comparable(byKey.get(row.public_id)!)).toEqual(comparable({ ...empty, ...row, ...ours }));
    }
    const stored = (await visit.rows('_cleargrid_rejects')).map(({ reason, record }) => ({
      ...{ reason, record: canonicalJson(record as string) },
    }));
    const expected = rejected.map(({ reason, record }) => ({ reason, record: canonicalJson(record) }));
    const inOrder = (rejects: readonly object[]) => rejects.map((reject) => JSON.stringify(reject)).sort();
    expect(inOrder(stored)).toEqual([...new Set(inOrder(expected))]);

    const again = await written.commit({ pages: [written.prepare(page)], changes: [], refresh: null });
    expect(again).toMatchObject({ written: 0, unchanged: rows.length });
  });

  test('has the documented sample rows of every dataset as they were reviewed', async () => {
    const { table, destination } = await visit.open(STREAMS);
    for (const stream of STREAMS) {
      const written = table(stream);
      const page = pageOfBytes(stream, destination.kinds, REVIEWED_AT, readRecords(stream));
      const changes = [{ type: 'begin', position: newPosition(stream) }] as const;
      await written.commit({ pages: [written.prepare(page)], changes, refresh: null });
      const reviewed = JSON.parse(readFileSync(new URL(`rows/${stream.name}.json`, FIXTURES), 'utf8')) as Row[];
      const byKey = (rows: readonly Row[]) =>
        new Map(rows.map((row) => [stream.primaryKey.map((name) => row[name]).join(), comparable(row, stream)]));
      const stored = await visit.rows(stream.name);
      expect(byKey(stored)).toEqual(byKey(reviewed.map((row) => ({ ...row, _deleted_at: null }))));
      expect(stored).toHaveLength(reviewed.length);
    }
  });

  describe('takes', () => {
    test('a text of 1 MB, and 100 of them in one batch', async () => {
      const { table, destination } = await visit.open([DIFFICULT_STREAM]);
      const text = 'ä"\n'.repeat(250_000);
      const records = Array.from({ length: 100 }, (_, index) => ({ public_id: `${index}`, words: text }));
      const bytes = Buffer.from(JSON.stringify(records));
      const written = table(DIFFICULT_STREAM);
      const prepared = written.prepare(pageOfBytes(DIFFICULT_STREAM, destination.kinds, at(1), bytes));
      const changes = [{ type: 'begin', position: newPosition(DIFFICULT_STREAM) }] as const;
      await written.commit({ pages: [prepared], changes, refresh: null });
      expect((await visit.row(DIFFICULT_STREAM, '99')).words === text).toBe(true);
    });
  });
}

/** A row in which equal values are equal: numbers as plain digits, JSON with its names in order. */
function comparable(row: Row, stream: Stream = DIFFICULT_STREAM): Row {
  const kinds = new Map<string, ColumnKind>([
    ...stream.columns.map(({ name, kind }): [string, ColumnKind] => [name, kind]),
    ['_extra', 'json'],
    ['_changes', 'json'],
  ]);
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, comparableValue(kinds.get(name), value as Value)]),
  );
}

function comparableValue(kind: ColumnKind | undefined, value: Value): unknown {
  if (value === null) return null;
  if (kind === 'json') return canonicalJson(value as string);
  if (kind === 'integer' || kind === 'decimal' || kind === 'minorUnits') return plainDigits(String(value));
  return value;
}

function plainDigits(number: string): string {
  const decimal = parseDecimal(number)!;
  return Math.abs(decimal.exponent) > 1000 ? JSON.stringify(decimal) : plainText(decimal);
}

function canonicalJson(text: string): string {
  const canonical = (value: unknown): unknown => {
    if (typeof value === 'number' || JSON.isRawJSON(value)) return `number ${plainDigits(JSON.stringify(value))}`;
    if (Array.isArray(value)) return value.map(canonical);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(entries.map(([name, member]) => [name, canonical(member)]));
  };
  const decoded = decodeJson(Buffer.from(text));
  return isDeep(text) ? text : writeJson(canonical(decoded), { holdsNumber: () => true }).text;
}

/** Too deep to walk by recursion: databases keep such text as it is, or the mapper has put it into a string. */
function isDeep(text: string): boolean {
  return /[[{]{500}/.test(text.replace(/"(?:[^"\\]|\\.)*"/g, '""'));
}
