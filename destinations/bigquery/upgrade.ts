import { isDeepStrictEqual } from 'node:util';
import { BOOKKEEPING_COLUMNS, type Stream } from '../../schemas/stream.ts';
import type { Run } from '../contract.ts';
import { changedKey, foreignTable, madeEmpty, rowsOfOneKey, wrongColumn } from '../refusals.ts';
import { planWidening, toldOf } from '../widening.ts';
import type { TableInfo } from './catalog.ts';
import type { Costs } from './costs.ts';
import { bigqueryKinds, holds, nativeColumns, typeOf } from './kinds.ts';
import { columnName, inPlace, tableNames } from './names.ts';
import { selectRepeatedKey } from './repeated-sql.ts';
import type { Session } from './session.ts';
import { replaceKey } from './tables-sql.ts';
import { isBeingFilled, widen } from './widen.ts';

export interface UpgradeOptions {
  readonly session: Session;
  readonly stream: Stream;
  readonly run: Run;
  readonly costs: Costs;
}

/**
 * Brings a stream's table up to date with its declaration, if it exists.
 *
 * @throws {Failure} `config_error` when the table cannot serve: another key, a column of a narrower type, a table of somebody else.
 */
export async function upgradeTable(options: UpgradeOptions): Promise<void> {
  const { session, stream, run } = options;
  const info = await session.catalog.table(tableNames(stream).table);
  if (info === null) return;
  const found = new Map(info.fields.map((field) => [field.name.toLowerCase(), field]));
  const fieldOf = (name: string) => found.get(columnName(name).toLowerCase());

  checkBookkeeping(stream, (name) => fieldOf(name) !== undefined);
  const columns = nativeColumns(stream);
  for (const { name, type } of columns) {
    const field = fieldOf(name);
    if (field !== undefined && !holds(typeOf(field), type)) throw wrongColumn(stream, name, typeOf(field), type);
  }
  if (info.key === null) await adopt(options);
  else if (!run.fullRefresh.has(stream.name) && !hasKey(stream, info)) throw changedKey(stream, info.key);

  const present = columns.map(({ name }) => name).filter((name) => fieldOf(name) && !isBeingFilled(fieldOf(name)!));
  const widening = planWidening(stream, new Set(present), bigqueryKinds);
  if (widening === null) return;
  run.note?.(toldOf(stream, widening), stream.name);
  await widen(options, info, widening);
  const empty = widening.empty();
  if (empty.length > 0 && (await session.catalog.holdsRows(tableNames(stream).table)))
    run.warn(madeEmpty(stream, empty), stream.name);
}

export function hasKey(stream: Stream, { key }: TableInfo): boolean {
  return isDeepStrictEqual(key, stream.primaryKey.map(columnName));
}

function checkBookkeeping(stream: Stream, isThere: (name: string) => boolean): void {
  const missing = [...BOOKKEEPING_COLUMNS, ...stream.primaryKey].filter((name) => !isThere(name));
  if (missing.length === 0) return;
  throw foreignTable(stream, missing);
}

/** A table without a key may serve, under an identity of its own, if its rows are told apart by the stream's. */
async function adopt({ session, stream, costs }: UpgradeOptions): Promise<void> {
  const table = inPlace(session.place, tableNames(stream).table);
  const options = { what: `look at the table ${stream.name}`, stream: stream.name, costs };
  const repeated = await session.rows({ sql: selectRepeatedKey(stream, table) }, options);
  if (repeated.length > 0) throw rowsOfOneKey(stream);
  await session.run({ sql: replaceKey(stream, table, false) }, options);
}
