import type { RowValues } from '../../schemas/row.ts';
import { BOOKKEEPING_COLUMNS, type Stream } from '../../schemas/stream.ts';
import type { Run } from '../contract.ts';
import { changedKey, foreignTable, madeEmpty, rowsOfOneKey, wrongColumn } from '../refusals.ts';
import { planWidening, type Widening } from '../widening.ts';
import { commentOn } from './ddl.ts';
import { COPY_HEADER, COPY_TRAILER, rowEncoder } from './encode.ts';
import { codeOf } from './errors.ts';
import { holds, type NativeColumn, nativeColumns, postgresKinds } from './kinds.ts';
import { isKeyedBy, type Layout, readLayout } from './layout.ts';
import { advisoryKey } from './locks.ts';
import type { Session } from './session.ts';
import { copyInto, definitions, list, literal, nativeType, quote } from './sql.ts';

/** Rows that are read and filled at once. */
const SLICE_ROWS = 5_000;

/**
 * Brings a stream's table up to date with its declaration, if there is one, in one transaction.
 *
 * @throws {Failure} `config_error` when the table cannot serve: another key, a column of a narrower type, a table of somebody else.
 */
export async function upgradeTable(session: Session, schema: string, stream: Stream, run: Run): Promise<void> {
  await session.transaction(async () => {
    // Tasks that share the stream wait here for whoever alters its table.
    const key = advisoryKey(schema, `${stream.name} is altered`);
    if (run.tasks !== undefined) await session.rows('select pg_advisory_xact_lock($1::bigint)', [key], { slow: true });
    const layout = await readLayout(session, schema, stream);
    if (layout === null) return;
    checkBookkeeping(stream, layout);
    const columns = nativeColumns(stream);
    for (const { name, type } of columns) {
      const found = layout.columns.get(name);
      if (found !== undefined && !holds(found, type)) throw wrongColumn(stream, name, found, type);
    }
    const table = `${quote(schema)}.${quote(layout.name)}`;
    if (!layout.isLoading && !isKeyedBy(layout, stream.primaryKey)) await adopt(session, table, stream, layout, run);
    const widening = planWidening(stream, new Set(layout.columns.keys()), postgresKinds);
    if (widening === null) return;
    await widen(session, table, stream, columns, widening);
    const empty = widening.empty();
    const holdsRows = (await session.rows(`select from ${table} limit 1`)).length > 0;
    if (holdsRows && empty.length > 0) run.warn(madeEmpty(stream, empty), stream.name);
  });
}

function checkBookkeeping(stream: Stream, { columns }: Layout): void {
  const missing = [...BOOKKEEPING_COLUMNS, ...stream.primaryKey].filter((name) => !columns.has(name));
  if (missing.length === 0) return;
  throw foreignTable(stream, missing);
}

/** A copy that took our table's place has no key: it may serve if the stream's key can be made its own. */
async function adopt(session: Session, table: string, stream: Stream, layout: Layout, run: Run): Promise<void> {
  const key = layout.keys.find(({ primary }) => primary) ?? layout.keys[0];
  if (key !== undefined) {
    if (run.fullRefresh.has(stream.name)) return;
    throw changedKey(stream, key.columns);
  }
  try {
    await session.run(`alter table ${table} add primary key (${list(stream.primaryKey)})`, [], { slow: true });
  } catch (error) {
    if (codeOf(error) !== '23505' && codeOf(error) !== '23502') throw error;
    throw rowsOfOneKey(stream);
  }
}

/**
 * Adds the new columns and fills them from `_extra`. What they will hold is worked out before they are added, because from then on
 * readers wait.
 */
async function widen(
  session: Session,
  table: string,
  stream: Stream,
  columns: readonly NativeColumn[],
  widening: Widening,
): Promise<void> {
  const added = columns.filter(({ name }) => widening.names.includes(name));
  const own = columns.filter(({ name }) => stream.primaryKey.includes(name));
  const kept = columns.filter(({ name }) => name === '_extra' || name === '_changes');
  const filled = [...own, ...added, ...kept];
  const names = filled.map((column, at) => ({ ...column, name: `c${at}` }));
  await session.run(`create temp table "_cleargrid_filled" (\n${definitions(names, [])}\n) on commit drop`);
  const count = await fill();
  await session.run(
    `alter table ${table} ${added.map(({ name, type }) => `add column ${quote(name)} ${nativeType(type)}`).join(', ')}`,
  );
  await commentOn(session, table, added);
  if (count === 0) return;
  const sets = filled.flatMap(({ name }, at) => (at < own.length ? [] : [`${quote(name)} = f."c${at}"`]));
  const keys = own.map(({ name }, at) => `t.${quote(name)} = f."c${at}"`);
  await session.run(
    `update ${table} t set ${sets.join(', ')} from pg_temp."_cleargrid_filled" f where ${keys.join(' and ')}`,
    [],
    { slow: true },
  );

  async function fill(): Promise<number> {
    const texts = widening.columns.map(({ name }) => name).filter((name) => !widening.names.includes(name));
    const fields = widening.columns.map(({ field }) => literal(field)).join(', ');
    const concerned = [`"_extra" ?| array[${fields}]`, ...texts.map((name) => `${quote(name)} is not null`)];
    await session.run(
      `declare "_cleargrid_unfilled" no scroll cursor for select ${own.map(({ name }, at) => `${valueText(quote(name), own[at]!)} as k${at}`).join(', ')},
  "_extra"::text as extra, "_changes"::text as changes${texts.map((name, at) => `, ${quote(name)} as t${at}`).join('')}
from ${table}
where ${concerned.join(' or ')}`,
    );
    const encode = rowEncoder(names);
    let total = 0;
    for (;;) {
      const rows = await session.rows(`fetch ${SLICE_ROWS} from "_cleargrid_unfilled"`, [], { slow: true });
      if (rows.length === 0) {
        // An open cursor would keep the table from being altered.
        await session.run('close "_cleargrid_unfilled"');
        return total;
      }
      total += rows.length;
      const values = rows.map((row): RowValues => {
        const kept = texts.flatMap((name, at): [string, string][] =>
          row[`t${at}`] === null ? [] : [[name, row[`t${at}`]!]],
        );
        const { values, extra, changes } = widening.fill({
          extra: row.extra!,
          changes: row.changes!,
          texts: new Map(kept),
        });
        return [...own.map(({ type }, at) => ofKey(row[`k${at}`]!, type)), ...values, extra, changes];
      });
      await session.copy(
        copyInto(
          'pg_temp."_cleargrid_filled"',
          names.map(({ name }) => name),
        ),
        [COPY_HEADER, encode(values), COPY_TRAILER],
      );
    }
  }
}

/** A column's value as the text that `Value` has. */
export function valueText(column: string, { type }: Pick<NativeColumn, 'type'>): string {
  if (type === 'timestamptz') return `to_char(${column} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
  return `${column}::text`;
}

function ofKey(text: string | null, type: NativeColumn['type']): RowValues[number] {
  if (type === 'bigint' && text !== null) return BigInt(text);
  if (type === 'boolean') return text === 'true';
  return text;
}
