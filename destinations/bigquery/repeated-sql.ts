import type { Stream } from '../../schemas/stream.ts';
import type { NativeColumn } from './kinds.ts';
import { quote } from './names.ts';
import { loadedValue, STAGED } from './ndjson.ts';
import { isNewer, newest, sameKey, type Tables } from './rows-sql.ts';

/** The statements that find rows that share a key and are not one row (design rule 14), and rows that share one by mishap. */

/**
 * Before a batch is written: the rows of it that will not hold their key, and (`_cleargrid_displaced`) the stored ones that no longer
 * will. In a refresh, only those stored rows count that the refresh itself brought.
 *
 * @param telling the columns in which rows of one key must agree to be one row.
 */
export function selectRepeated(
  stream: Stream,
  { table, seen, staging }: Tables,
  columns: readonly NativeColumn[],
  telling: readonly string[],
  refreshing: boolean,
): string {
  const wins = refreshing
    ? `_seen.\`_synced_at\` is null or ${isNewer(stream, '_new', '_seen')}`
    : isNewer(stream, '_new', '_old');
  const holder = (at: number) => quote(`_cleargrid_holder${at === 0 ? '' : at}`);
  const isNew = `_old.\`_synced_at\` is null or _old.\`_deleted_at\` is not null or ${wins}`;
  const holders = telling.map((name, at) => `if(${isNew}, _new.${quote(name)}, _old.${quote(name)}) as ${holder(at)}`);
  const differs = (alias: string) =>
    anyOf(telling.map((name, at) => `${alias}.${quote(name)} is distinct from _held.${holder(at)}`));
  const joinSeen = refreshing ? `\n  left join ${seen} _seen on ${sameKey(stream, '_new', '_seen')}` : '';
  const brought = refreshing ? '\n  and _held.`_cleargrid_brought`' : '';
  const key = stream.primaryKey.map((name) => `_new.${quote(name)}`).join(', ');
  return `with holders as (
  select ${key},
    ${holders.join(',\n    ')},
    ${refreshing ? '_seen.`_synced_at` is not null' : 'true'} as \`_cleargrid_brought\`
  from (${newest(stream, staging)}) _new
  left join ${table} _old on ${sameKey(stream, '_new', '_old')}${joinSeen}
)
${selectFrom(`${staging} _row`, columns, (column) => loadedValue('_row', column), 'false')}
join holders _held on ${sameKey(stream, '_row', '_held')}
where _row.${quote(STAGED.row)} is not null
  and ${differs('_row')}
union all
${selectFrom(`${table} _old`, columns, stored, 'true')}
join holders _held on ${sameKey(stream, '_old', '_held')}
where _old.\`_deleted_at\` is null
  and ${differs('_old')}${brought}`;
}

/** Of a first load: the rows that do not hold their key once the table is made of it. */
export function selectRepeatedLoaded(
  stream: Stream,
  loading: string,
  columns: readonly NativeColumn[],
  telling: readonly string[],
): string {
  return `${selectFrom(`${loading} _row`, columns, (column) => loadedValue('_row', column), 'false')}
join (${newest(stream, loading)}) _held on ${sameKey(stream, '_row', '_held')}
where _row.${quote(STAGED.row)} is not null
  and ${anyOf(telling.map((name) => `_row.${quote(name)} is distinct from _held.${quote(name)}`))}`;
}

function anyOf(conditions: readonly string[]): string {
  return conditions.length === 1 ? conditions[0]! : `(${conditions.join(' or ')})`;
}

/** Rows that do not keep their place when the table's key becomes the stream's: of one key, all but the newest. */
export function selectCollided(stream: Stream, table: string, columns: readonly NativeColumn[]): string {
  return `${selectFrom(`${table} _old`, columns, stored, 'false')}\nwhere ${isPreceded(stream, table)}`;
}

/** Deletes them. */
export function deleteCollided(stream: Stream, table: string): string {
  return `delete from ${table} _old\nwhere ${isPreceded(stream, table)}`;
}

/** A key that several rows have, if there is one. */
export function selectRepeatedKey({ primaryKey }: Stream, table: string): string {
  return `select 1 from ${table} group by ${primaryKey.map(quote).join(', ')} having count(*) > 1 limit 1`;
}

/** Whether another row of the key comes before: one that is not marked deleted, then the newer, then either. */
function isPreceded(stream: Stream, table: string): string {
  return `exists (
  select 1 from ${table} _other
  where ${sameKey(stream, '_other', '_old')} and (
    (_other.\`_deleted_at\` is null and _old.\`_deleted_at\` is not null)
    or ((_other.\`_deleted_at\` is null) = (_old.\`_deleted_at\` is null) and (
      ${isNewer(stream, '_other', '_old')}
      or (not ${isNewer(stream, '_old', '_other')} and to_json_string(_other) > to_json_string(_old))
    ))
  )
)`;
}

type ValueOf = (column: NativeColumn) => string;

const stored: ValueOf = ({ name }) => `_old.${quote(name)}`;

function selectFrom(from: string, columns: readonly NativeColumn[], read: ValueOf, displaced: string): string {
  // What has been loaded has no such column, and no row that counts here is marked.
  const own = columns.filter(({ name }) => name !== '_deleted_at');
  const selected = own.map((column) => `${read(column)} as ${quote(column.name)}`);
  return `select ${selected.join(', ')}, ${displaced} as \`_cleargrid_displaced\`\nfrom ${from}`;
}
