import type { Value } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Run } from '../contract.ts';
import { madeEmpty, wrongColumn } from '../refusals.ts';
import { planWidening, toldOf } from '../widening.ts';
import { columnTypes, memoryKinds } from './kinds.ts';
import type { StoredRow, StoredTable } from './warehouse.ts';

/** @throws {Failure} `config_error` when a column has another type than its kind asks for. */
export function checkTypes(table: StoredTable, stream: Stream): void {
  for (const [name, type] of columnTypes(stream)) {
    const found = table.columns.get(name);
    if (found !== undefined && found !== type) throw wrongColumn(stream, name, found, type);
  }
}

/** Adds the columns that a table lacks, filled from `_extra`. */
export function widen(table: StoredTable, stream: Stream, run: Run): void {
  const widening = planWidening(stream, new Set(table.columns.keys()), memoryKinds);
  if (widening === null) return;
  run.note?.(toldOf(stream, widening), stream.name);
  for (const [key, row] of table.rows) table.rows.set(key, widened(row));
  for (const name of widening.names) table.columns.set(name, columnTypes(stream).get(name)!);
  const empty = widening.empty();
  if (table.rows.size > 0 && empty.length > 0) run.warn(madeEmpty(stream, empty), stream.name);

  function widened(row: StoredRow): StoredRow {
    const texts = widening!.columns.flatMap(({ name }) =>
      typeof row.get(name) === 'string' ? [[name, row.get(name)]] : [],
    );
    const filled = widening!.fill({
      extra: row.get('_extra') as string | null,
      changes: row.get('_changes') as string | null,
      texts: new Map(texts as [string, string][]),
    });
    const values = widening!.names.map((name, at): [string, Value] => [name, filled.values[at] ?? null]);
    return new Map([...row, ...values, ['_extra', filled.extra], ['_changes', filled.changes]]);
  }
}
