import { expect, test } from 'vitest';
import {
  claimStream,
  countRejects,
  createBookkeeping,
  insertRejects,
  selectPosition,
  selectPositions,
  selectRuns,
  updatePosition,
  upsertRun,
} from '../destinations/duckdb/bookkeeping-sql.ts';
import { selectCounts, selectCursors } from '../destinations/duckdb/count.ts';
import { duckdbKinds, nativeColumns } from '../destinations/duckdb/kinds.ts';
import { deleteDisplaced, keepCollided, keepDisplaced, selectRepeated } from '../destinations/duckdb/repeated-sql.ts';
import {
  addColumn,
  commentOnColumn,
  countUnseen,
  createSeen,
  createTable,
  createTemporary,
  dropSeen,
  holdsRows,
  insertRows,
  judgeKeys,
  markUnseen,
  mergeRows,
  mergeSeen,
  namesOf,
} from '../destinations/duckdb/sql.ts';
import { createUnfilled, selectUnfilled, updateFilled } from '../destinations/duckdb/widening-sql.ts';
import { planWidening } from '../destinations/widening.ts';
import { businessDate, minorUnits, text, timestamp } from '../schemas/kinds.ts';
import { defineStream } from '../schemas/stream.ts';

const stream = defineStream({
  name: 'links',
  description: '',
  dataset: { section: 'S1', code: 'D16', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    amount: minorUnits,
    due_date: businessDate,
    created_at: timestamp,
    updated_at: timestamp,
  },
  suspectKey: { by: ['created_at'], suggest: ['public_id', 'created_at'] },
});
const events = defineStream({
  name: 'its "events"',
  description: '',
  dataset: { section: 'S1', code: 'D05', paging: 'direct' },
  cursor: 'created_at',
  primaryKey: ['public_id', 'created_at'],
  columns: { public_id: text, created_at: timestamp },
});

/** What a change of a statement does to all of them is read in the difference of one file. */
test("DuckDB's statements are those that were reviewed", async () => {
  const place = { catalog: 'warehouse', schema: 'cleargrid' };
  const [names, columns] = [namesOf(place, stream.name), nativeColumns(stream)];
  const [eventNames, eventColumns] = [namesOf(place, events.name), nativeColumns(events)];
  const present = new Set(columns.map(({ name }) => name).filter((name) => !/amount|due_date_parsed/.test(name)));
  const widening = planWidening(stream, present, duckdbKinds)!;
  const added = columns.filter(({ name }) => [...widening.names, '_extra', '_changes'].includes(name));
  const statements = {
    'the tables that are ours alone': createBookkeeping(place).join(';\n\n'),
    'a stream is claimed': claimStream(place),
    'its position': `${selectPosition(place)};\n\n${updatePosition(place)};\n\n${selectPositions(place)}`,
    'a run': `${upsertRun(place)};\n\n${selectRuns(place)}`,
    rejects: `${insertRejects(place)};\n\n${countRejects(place)}`,
    'a table': `${createTable(names.table, columns)};\n\n${commentOnColumn(names.table, 'amount', "it's owed")}`,
    'whether it holds rows': holdsRows(names),
    'the rows of a batch, as they came': createTemporary('arrivals', columns.slice(0, -1)),
    'a batch of new keys alone': `${judgeKeys(stream, names)};\n\n${insertRows(stream, names, columns, { repeated: false })}`,
    'a batch of new keys alone, one of which is repeated': insertRows(stream, names, columns, { repeated: true }),
    'a batch is written': mergeRows(stream, names, columns, false),
    'a batch of a stream without a version is written': mergeRows(events, eventNames, eventColumns, false),
    'a batch of a full refresh is written': mergeRows(stream, names, columns, true),
    'the keys that a refresh brings': `${createSeen(stream, names, columns)};\n\n${mergeSeen(stream, names)}`,
    'the keys that a refresh brings, without a version': mergeSeen(events, eventNames),
    'a refresh ends': `${countUnseen(stream, names)};\n\n${markUnseen(stream, names)};\n\n${dropSeen(names)}`,
    'rows that share a key, before': keepDisplaced(stream, names, columns.slice(0, -1), ['created_at'], false),
    'rows that share a key, before, in a refresh': keepDisplaced(
      stream,
      names,
      columns.slice(0, -1),
      ['created_at'],
      true,
    ),
    'rows that share a key, after': selectRepeated(stream, names, columns.slice(0, -1), ['created_at']),
    'a shorter key': [
      keepCollided(stream, names, columns.slice(0, -1), ['public_id', 'created_at']),
      deleteDisplaced(names, ['public_id', 'created_at']),
    ].join(';\n\n'),
    'rows by spans, and by their keys': [
      selectCounts(place, events, [
        { since: null, until: '2026-03-01T00:00:00.000000Z' },
        { since: '2026-03-01T00:00:00.000000Z', until: '2026-04-01T00:00:00.123456Z' },
      ]),
      selectCursors(place, events),
    ].join(';\n\n'),
    'a table is widened': [
      addColumn(names.table, columns[1]!),
      createUnfilled(names, widening, ['public_id'], ['due_date']),
      selectUnfilled(['due_date']),
      updateFilled(names, ['public_id'], added),
    ].join(';\n\n'),
  };
  const file = Object.entries(statements).map(([what, sql]) => `-- ${what}\n\n${sql};\n`);
  await expect(file.join('\n\n')).toMatchFileSnapshot('fixtures/duckdb.sql');
});
