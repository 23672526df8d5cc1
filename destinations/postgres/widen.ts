import { setTimeout as sleep } from 'node:timers/promises';
import type { RowValues } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Widening } from '../widening.ts';
import { commentOn } from './ddl.ts';
import { COPY_HEADER, COPY_TRAILER, rowEncoder } from './encode.ts';
import { codeOf, LOCK_NOT_AVAILABLE } from './errors.ts';
import { holds, type NativeColumn, nativeColumns } from './kinds.ts';
import type { Layout } from './layout.ts';
import { type Answer, LOCK_TIMEOUT, type Session } from './session.ts';
import { copyInto, definitions, fillingName, literal, nativeType, quote } from './sql.ts';

/**
 * Columns that a table lacks come in two transactions, because whoever adds a column keeps readers waiting until its transaction ends. The
 * first adds them under names of ours, empty. The second fills them from `_extra`, however long that takes, and only then gives them their own
 * names: until then each row is as it was, but for the empty columns.
 */

/** What is read and filled at once: rows of any size, and never so many that they would be a burden. */
const SLICE_BYTES = 8_000_000;
const FIRST_SLICE_ROWS = 50;
const MOST_SLICE_ROWS = 5_000;

/** Whoever waits for a lock on a table keeps others waiting behind: so for a moment only, with pauses in which they have their turn. */
const RENAME_TIMEOUT = '2s';
const RENAME_PAUSE_MS = 2_000;
const RENAME_TRIES = 30;

/** Where a row lies in its table, in place of a key. */
const PLACE: NativeColumn = { name: 'ctid', type: 'text', description: null };

/** Adds what a table lacks, under the names that it bears until it is filled. What a run that was killed has left is used again. */
export async function addColumns(
  session: Session,
  table: string,
  stream: Stream,
  { columns }: Layout,
  widening: Widening,
): Promise<void> {
  const changes = addedBy(stream, widening).flatMap(({ name, type }) => {
    const filling = fillingName(name);
    const left = columns.get(filling);
    if (left !== undefined && holds(left, type)) return [];
    const add = `add column ${quote(filling)} ${nativeType(type)}`;
    // Nothing was ever in it.
    return left === undefined ? [add] : [`drop column ${quote(filling)}`, add];
  });
  if (changes.length > 0) await session.run(`alter table ${table} ${changes.join(', ')}`);
}

/** Fills what `addColumns` has added with what `_extra` holds of it, and gives it its own names. */
export async function fillColumns(
  session: Session,
  table: string,
  stream: Stream,
  { isLoading }: Layout,
  widening: Widening,
): Promise<void> {
  const added = addedBy(stream, widening);
  const columns = nativeColumns(stream);
  // A first load may hold several versions of a row, and nobody moves its rows.
  const own = isLoading ? [PLACE] : columns.filter(({ name }) => stream.primaryKey.includes(name));
  const kept = columns.filter(({ name }) => name === '_extra' || name === '_changes');
  const filled = [...own, ...added, ...kept];
  const names = filled.map((column, at) => ({ ...column, name: `c${at}` }));
  await session.run(`create temp table "_cleargrid_filled" (\n${definitions(names, [])}\n) on commit drop`);
  if ((await stageFilled()) > 0) await update();
  await persistently(async () => {
    for (const { name } of added)
      await session.run(`alter table ${table} rename column ${quote(fillingName(name))} to ${quote(name)}`);
  });
  await commentOn(session, table, added);

  /** What was filled is not filled again because somebody reads the table. */
  async function persistently(rename: () => Promise<void>): Promise<void> {
    // Triggers that wait for the end of the transaction would fire while readers wait.
    await session.run('set constraints all immediate', [], { slow: true });
    await session.run(`set local lock_timeout = '${RENAME_TIMEOUT}'`);
    await session.run('savepoint "filled"');
    for (let tries = 1; ; tries++) {
      try {
        await rename();
        break;
      } catch (error) {
        if (codeOf(error) !== LOCK_NOT_AVAILABLE || tries === RENAME_TRIES) throw error;
        await session.run('rollback to savepoint "filled"');
        await sleep(RENAME_PAUSE_MS);
      }
    }
    await session.run(`set local lock_timeout = '${LOCK_TIMEOUT}'`);
  }

  async function update(): Promise<void> {
    const stored = filled.map(({ name }) =>
      quote(added.some((column) => column.name === name) ? fillingName(name) : name),
    );
    const sets = stored.flatMap((name, at) => (at < own.length ? [] : [`${name} = f."c${at}"`]));
    const keys = own.map(({ name }, at) =>
      name === PLACE.name ? `t.ctid = f."c${at}"::pg_catalog.tid` : `t.${stored[at]} = f."c${at}"`,
    );
    await session.run(
      `update ${table} t set ${sets.join(', ')} from pg_temp."_cleargrid_filled" f where ${keys.join(' and ')}`,
      [],
      { slow: true },
    );
  }

  /** What the new columns will hold, into a table of its own. @returns of how many rows. */
  async function stageFilled(): Promise<number> {
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
    let slice = FIRST_SLICE_ROWS;
    for (;;) {
      const rows = await session.rows(`fetch ${slice} from "_cleargrid_unfilled"`, [], { slow: true });
      if (rows.length === 0) return total;
      total += rows.length;
      slice = nextSlice(rows);
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

/** How many rows to read next, given those that were read last. */
function nextSlice(rows: readonly Answer[]): number {
  const length = (text: string | null) => text?.length ?? 0;
  const size = rows.reduce((sum, row) => Object.values(row).reduce((bytes, text) => bytes + length(text), sum), 1);
  const fitting = Math.ceil((rows.length * SLICE_BYTES) / size);
  return Math.min(fitting, 4 * rows.length, MOST_SLICE_ROWS);
}

function addedBy(stream: Stream, { names }: Widening): NativeColumn[] {
  return nativeColumns(stream).filter(({ name }) => names.includes(name));
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
