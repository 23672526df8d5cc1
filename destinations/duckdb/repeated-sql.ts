import type { Stream } from '../../schemas/stream.ts';
import type { NativeColumn } from './kinds.ts';
import { anyDiffers, list, type Names, newest, quote, sameKey } from './sql.ts';

/** The statements that find rows that share a key and are not one row (design rule 14). */

/** Keeps the stored rows that a batch may displace, before it is written. In a refresh only those that the refresh itself brought. */
export function keepDisplaced(
  stream: Stream,
  names: Names,
  columns: readonly NativeColumn[],
  telling: readonly string[],
  refreshing: boolean,
): string {
  const brought = refreshing ? `\n  and exists (select 1 from ${names.seen} s where ${sameKey(stream, 's', 't')})` : '';
  return `create or replace temp table displaced as
select ${columns.map(({ name }) => `t.${quote(name)}`).join(', ')}
from ${names.table} t
join (
  ${newest(stream, names)}
) n on ${sameKey(stream, 'n', 't')}
where t."_deleted_at" is null
  and ${anyDiffers(telling, 't', 'n')}${brought}`;
}

/** Once the batch is written: the rows of it that do not hold their key, and (`"_cleargrid_displaced"`) those that no longer do. */
export function selectRepeated(
  stream: Stream,
  names: Names,
  columns: readonly NativeColumn[],
  telling: readonly string[],
): string {
  const select = (
    from: string,
    displaced: boolean,
  ) => `select ${exactly(columns)}, ${displaced} as "_cleargrid_displaced"
from ${from} r
join ${names.table} t on ${sameKey(stream, 'r', 't')}
where ${anyDiffers(telling, 'r', 't')}`;
  return `${select(names.arrivals, false)}\nunion all\n${select(names.displaced, true)}`;
}

/** Keeps the rows that cannot stay when the table's key becomes the stream's: of each key, all but the newest. */
export function keepCollided(
  { primaryKey, version }: Stream,
  { table }: Names,
  columns: readonly NativeColumn[],
  oldKey: readonly string[],
): string {
  const order = version === null ? '' : `${quote(version)} desc nulls last, `;
  return `create or replace temp table displaced as
select ${list(columns.map(({ name }) => name))}
from ${table}
qualify row_number() over (
  partition by ${list(primaryKey)}
  order by "_deleted_at" is null desc, ${order}"_synced_at" desc, ${list(oldKey)}
) > 1`;
}

export function selectDisplaced({ displaced }: Names, columns: readonly NativeColumn[]): string {
  return `select ${exactly(columns)} from ${displaced} r`;
}

export function deleteDisplaced({ table, displaced }: Names, oldKey: readonly string[]): string {
  return `delete from ${table} t
using ${displaced} d
where ${oldKey.map((name) => `t.${quote(name)} is not distinct from d.${quote(name)}`).join(' and ')}`;
}

/** Text as its bytes: the client takes a byte order mark off the beginning of what it reads as text. */
function exactly(columns: readonly NativeColumn[]): string {
  return columns
    .map(({ name, type }) => (type === 'varchar' ? `encode(r.${quote(name)}) as ${quote(name)}` : `r.${quote(name)}`))
    .join(', ');
}
