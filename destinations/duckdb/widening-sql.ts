import type { Stream } from '../../schemas/stream.ts';
import type { Widening } from '../widening.ts';
import type { NativeColumn } from './kinds.ts';
import { list, literal, type Names, quote } from './sql.ts';

/**
 * The statements that fill new columns of rows that are there already, and those that judge a table nobody knows. Rows are named by
 * a number of our own: DuckDB's `rowid` cannot be asked for where a column bears that name.
 */

/** Brings the rows of one slice that have something for the new columns into a table of their own: `$slices`, `$slice`. */
export function createUnfilled(
  { table }: Names,
  { columns }: Widening,
  key: readonly string[],
  texts: readonly string[],
): string {
  const fields = columns.map(({ field }) => literal(field)).join(', ');
  const has = [`list_has_any(json_keys("_extra"), [${fields}])`, ...texts.map((name) => `${quote(name)} is not null`)];
  return `create or replace temp table unfilled as
select row_number() over () as "_cleargrid_row", ${list([...new Set([...key, '_extra', '_changes', ...texts])])}
from ${table}
where hash(${list(key)}) % $slices = $slice
  and (${has.join(' or ')})`;
}

export function selectUnfilled(texts: readonly string[]): string {
  const selected = texts.map((name, at) => `, ${quote(name)} as text_${at}`).join('');
  return `select "_cleargrid_row" as row, "_extra"::varchar as extra, "_changes"::varchar as changes${selected}
from temp.main.unfilled`;
}

/** What `updateFilled` takes its values from. */
export function filledColumns(columns: readonly NativeColumn[]): Pick<NativeColumn, 'name' | 'type'>[] {
  return [{ name: '_cleargrid_row', type: 'bigint' }, ...columns];
}

export function updateFilled({ table }: Names, key: readonly string[], columns: readonly NativeColumn[]): string {
  return `update ${table} t set
  ${columns.map(({ name }) => `${quote(name)} = f.${quote(name)}`).join(',\n  ')}
from temp.main.unfilled u
join temp.main.filled f on f."_cleargrid_row" = u."_cleargrid_row"
where ${key.map((name) => `t.${quote(name)} is not distinct from u.${quote(name)}`).join(' and ')}`;
}

/** How many rows there are, and how many bytes they keep in `_extra`. */
export function countRows({ table }: Names): string {
  return `select count(*) as rows, coalesce(sum(strlen("_extra"::varchar)), 0) as bytes from ${table}`;
}

/** A key that several rows have, if there is one. */
export function selectRepeatedKey({ primaryKey }: Stream, { table }: Names): string {
  return `select 1 from ${table} group by ${list(primaryKey)} having count(*) > 1 limit 1`;
}
