import { randomUUID } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import type { DuckDBValue } from '@duckdb/node-api';
import type { RowValues } from '../../schemas/row.ts';
import { BOOKKEEPING_COLUMNS, type Stream } from '../../schemas/stream.ts';
import type { Run } from '../contract.ts';
import { changedKey, foreignTable, madeEmpty, rowsOfOneKey, wrongColumn } from '../refusals.ts';
import { planWidening, toldOf, type Widening } from '../widening.ts';
import { asValue } from './decode.ts';
import { duckdbKinds, holds, type NativeColumn, nativeColumns } from './kinds.ts';
import { type Layout, readLayout, writeMark } from './layout.ts';
import type { Session } from './session.ts';
import { addColumn, commentOnColumn, type Names, namesOf, type Place } from './sql.ts';
import {
  countRows,
  createUnfilled,
  filledColumns,
  selectRepeatedKey,
  selectUnfilled,
  updateFilled,
} from './widening-sql.ts';

/** What is filled at once: so many rows, or what they keep in `_extra`. */
const SLICE_ROWS = 100_000;
const SLICE_BYTES = 32_000_000;

/**
 * Brings a stream's table up to date with its declaration, if it exists. In the caller's transaction.
 *
 * @throws {Failure} `config_error` when the table cannot serve: another key, a column of a narrower type, a table of somebody else.
 */
export async function upgradeTable(session: Session, place: Place, stream: Stream, run: Run): Promise<void> {
  const layout = await readLayout(session, place, stream.name);
  if (layout === null) return;
  checkBookkeeping(stream, layout);
  const columns = nativeColumns(stream);
  for (const { name, type } of columns) {
    const found = layout.columns.get(name);
    if (found !== undefined && !holds(found, type)) throw wrongColumn(stream, name, found, type);
  }
  if (layout.mark === null) await adopt(session, place, stream);
  const key = layout.mark?.key ?? stream.primaryKey;
  if (!run.fullRefresh.has(stream.name) && !isDeepStrictEqual(key, stream.primaryKey)) throw changedKey(stream, key);
  const widening = planWidening(stream, new Set(layout.columns.keys()), duckdbKinds);
  if (widening === null) return;
  run.note?.(toldOf(stream, widening), stream.name);
  const filled = await widen({ session, names: namesOf(place, stream.name), key, columns, widening });
  const empty = widening.empty();
  if (filled > 0 && empty.length > 0) run.warn(madeEmpty(stream, empty), stream.name);
}

function checkBookkeeping(stream: Stream, { columns }: Layout): void {
  const needed = [...BOOKKEEPING_COLUMNS, ...stream.primaryKey];
  const missing = needed.filter((name) => !columns.has(name));
  if (missing.length === 0) return;
  throw foreignTable(stream, missing);
}

/** A copy that took our table's place may serve, under an identity of its own, if its rows are told apart by the stream's key. */
async function adopt(session: Session, place: Place, stream: Stream): Promise<void> {
  const repeated = await session.rows(selectRepeatedKey(stream, namesOf(place, stream.name)));
  if (repeated.length > 0) {
    throw rowsOfOneKey(stream);
  }
  await writeMark(session, place, stream, randomUUID());
}

interface WideningTask {
  readonly session: Session;
  readonly names: Names;
  /** The table's key now. */
  readonly key: readonly string[];
  readonly columns: readonly NativeColumn[];
  readonly widening: Widening;
}

/** Adds the new columns and fills them from `_extra`, slice by slice. @returns how many rows the table has. */
async function widen({ session, names, key, columns, widening }: WideningTask): Promise<number> {
  const added = columns.filter(({ name }) => widening.names.includes(name));
  for (const column of added) {
    await session.run(addColumn(names.table, column));
    if (column.description !== null) {
      await session.run(commentOnColumn(names.table, column.name, column.description));
    }
  }
  const texts = widening.columns.map(({ name }) => name).filter((name) => !widening.names.includes(name));
  const filled = [...added, ...columns.filter(({ name }) => name === '_extra' || name === '_changes')];
  const [count] = await session.rows(countRows(names));
  const slices = Math.ceil(Math.max(Number(count!.rows) / SLICE_ROWS, Number(count!.bytes) / SLICE_BYTES));
  for (let slice = 0; slice < slices; slice++) {
    await session.run(createUnfilled(names, widening, key, texts), { slices, slice });
    const rows = await session.rows(selectUnfilled(texts));
    await session.loadRows(
      'filled',
      filledColumns(filled),
      rows.map((row) => fillRow(widening, texts, row)),
    );
    await session.run(updateFilled(names, key, filled));
  }
  return Number(count!.rows);
}

/** One row of `selectUnfilled` as one of `filledColumns`. */
function fillRow(widening: Widening, texts: readonly string[], row: Record<string, DuckDBValue>): RowValues {
  const kept = texts.flatMap((name, at): [string, string][] => {
    const text = row[`text_${at}`];
    return typeof text === 'string' ? [[name, text]] : [];
  });
  const { values, extra, changes } = widening.fill({
    extra: row.extra as string | null,
    changes: row.changes as string | null,
    texts: new Map(kept),
  });
  return [asValue(row.row!), ...values, extra, changes];
}
