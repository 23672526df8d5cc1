import type { Value } from '../../schemas/row.ts';
import { exactNumber } from '../exact-numbers.ts';
import { configError } from '../failure.ts';
import type { MemoryWarehouse } from './warehouse.ts';

const SEEN = '_cleargrid_seen_';

type Answer = Readonly<Record<string, unknown>>;

/** Of SQL, memory understands `select * from "table"` alone. */
export async function* queryRows(warehouse: MemoryWarehouse, sql: string): AsyncGenerator<Answer> {
  const quoted = /^\s*select \* from "((?:[^"]|"")+)"\s*$/.exec(sql)?.[1];
  const rows = quoted === undefined ? null : rowsOf(warehouse, quoted.replaceAll('""', '"'));
  if (rows === null)
    throw configError('the in-memory destination answers `select * from "table"`, for a table that it has');
  yield* rows;
}

function rowsOf(warehouse: MemoryWarehouse, name: string): Answer[] | null {
  if (name === '_cleargrid_rejects') {
    return [...warehouse.rejects].map(([id, { stream, record, reason, runId, seenAt }]) => ({
      ...{ id, stream, record, reason, run_id: runId, seen_at: seenAt },
    }));
  }
  const seen = name.startsWith(SEEN) ? warehouse.seen.get(name.slice(SEEN.length)) : undefined;
  if (seen) return [...seen].map(([key, { value, syncedAt }]) => ({ key, version: value, _synced_at: syncedAt }));
  const table = warehouse.tables.get(name);
  if (!table) return null;
  const columns = [...table.columns];
  return [...table.rows.values()].map((row) =>
    Object.fromEntries(columns.map(([column, type]) => [column, answer(type, row.get(column) ?? null)])),
  );
}

function answer(type: string, value: Value): Value {
  return value !== null && (type === 'integer' || type === 'decimal') ? exactNumber(String(value)) : value;
}
