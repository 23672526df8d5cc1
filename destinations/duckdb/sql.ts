import type { Stream } from '../../schemas/stream.ts';
import type { NativeColumn } from './kinds.ts';

/** The statements that write a stream's table, as text made by pure functions. */

/** An identifier, whatever its characters. */
export function quote(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function literal(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Where the tables are: the database's own name comes first, because a schema may have the same. */
export interface Place {
  readonly catalog: string;
  readonly schema: string;
}

export function inPlace({ catalog, schema }: Place, table: string): string {
  return [catalog, schema, table].map(quote).join('.');
}

/** What the statements about one stream share. All names of tables are quoted already. */
export interface Names {
  readonly table: string;
  /** The keys that an open full refresh has brought. */
  readonly seen: string;
  /** The batch's rows as they came. */
  readonly arrivals: string;
  /** Stored rows that lose their place. */
  readonly displaced: string;
}

export function namesOf(place: Place, stream: string): Names {
  return {
    table: inPlace(place, stream),
    seen: inPlace(place, `_cleargrid_seen_${stream}`),
    arrivals: 'temp.main.arrivals',
    displaced: 'temp.main.displaced',
  };
}

/**
 * A table of these columns, without a key that DuckDB would know of: its index has random keys, lives in memory, makes a file five
 * times as large and the replacing of rows seventeen times as slow (measured: 7,000 rows a second instead of 122,000). That
 * a key is there once follows from how rows are written: by `mergeRows`, one commit at a time, in the only process that
 * can have the file open.
 */
export function createTable(table: string, columns: readonly Definition[]): string {
  return `create table ${table} ${definitions(columns)}`;
}

/** A table of this connection alone, which takes the place of the last one of that name. */
export function createTemporary(name: string, columns: readonly Definition[]): string {
  return `create or replace temp table ${name} ${definitions(columns)}`;
}

export function dropTemporary(name: string): string {
  return `drop table if exists temp.main.${name}`;
}

type Definition = Pick<NativeColumn, 'name' | 'type'>;

function definitions(columns: readonly Definition[]): string {
  return `(\n${columns.map(({ name, type }) => `  ${quote(name)} ${type}`).join(',\n')}\n)`;
}

export function addColumn(table: string, { name, type }: Definition): string {
  return `alter table ${table} add column ${quote(name)} ${type}`;
}

export function commentOnTable(table: string, text: string): string {
  return `comment on table ${table} is ${literal(text)}`;
}

export function commentOnColumn(table: string, column: string, text: string): string {
  return `comment on column ${table}.${quote(column)} is ${literal(text)}`;
}

export function holdsRows({ table }: Names): string {
  return `select exists (select 1 from ${table}) as holds`;
}

/** Of a batch's rows, the newest of each key. Of two that differ in nothing that decides, any: but always the same one. */
export function newest(stream: Stream, { arrivals }: Names): string {
  const version = stream.version === null ? '' : `${quote(stream.version)} desc nulls last, `;
  const telling = stream.suspectKey?.by ?? null;
  return `select * from ${arrivals}
  qualify row_number() over (partition by ${list(stream.primaryKey)} order by ${version}"_synced_at" desc${telling === null ? '' : `, ${list(telling)}`}) = 1`;
}

/** What must be known of a batch's keys before it is written: `"stored"`, one is there already; `"repeated"`, two rows of it have one. */
export function judgeKeys(stream: Stream, { table, arrivals }: Names): string {
  return `select
  exists (select 1 from ${table} t join ${arrivals} n on ${sameKey(stream, 'n', 't')}) as "stored",
  (select count(*) from ${arrivals}) > (select count(*) from (select distinct ${list(stream.primaryKey)} from ${arrivals})) as "repeated"`;
}

/**
 * Writes the newest row of each key where none of the keys is there yet; answers how many. Most of a first load: a third faster than a
 * merge, and another tenth where no key is repeated and nothing has to be sorted.
 */
export function insertRows(
  stream: Stream,
  names: Names,
  columns: readonly NativeColumn[],
  keys: { readonly repeated: boolean },
): string {
  const own = list(columns.map(({ name }) => name).filter((name) => name !== '_deleted_at'));
  return `insert into ${names.table} (${own})
${keys.repeated ? newest(stream, names) : `select ${own} from ${names.arrivals}`}`;
}

/** Writes the newest row of each key where it wins against the stored one and is not the same; answers how many. */
export function mergeRows(stream: Stream, names: Names, columns: readonly NativeColumn[], refreshing: boolean): string {
  const own = columns.map(({ name }) => name).filter((name) => name !== '_deleted_at');
  const compared = own.filter(isNoKey(stream)).filter((name) => name !== '_synced_at');
  const differs = compared.map((name) => `n.${quote(name)} is distinct from t.${quote(name)}`);
  const wins = refreshing ? 'n."_cleargrid_wins"' : isNewer(stream, 'n', 't');
  return `merge into ${names.table} t
using (
  ${refreshing ? judgedBySeen(stream, names) : newest(stream, names)}
) n
on ${sameKey(stream, 'n', 't')}
when matched and (
  t."_deleted_at" is not null
  or (
    ${wins}
    and (
      ${differs.join('\n      or ')}
    )
  )
) then update set
  ${own
    .filter(isNoKey(stream))
    .map((name) => `${quote(name)} = n.${quote(name)}`)
    .join(',\n  ')},
  "_deleted_at" = null
when not matched then insert (${list(own)})
  values (${own.map((name) => `n.${quote(name)}`).join(', ')})`;
}

/** In a refresh, the first row that it brings of a key wins whatever is stored; later ones are measured by what it has brought. */
function judgedBySeen(stream: Stream, names: Names): string {
  return `select n.*, s."_synced_at" is null or ${isNewer(stream, 'n', 's')} as "_cleargrid_wins"
  from (${newest(stream, names)}) n
  left join ${names.seen} s on ${sameKey(stream, 'n', 's')}`;
}

/** Newer wins: by the version column, null lowest, and where that is equal by the time of reading. */
export function isNewer({ version }: Stream, a: string, b: string): string {
  const later = `${a}."_synced_at" > ${b}."_synced_at"`;
  if (version === null) return later;
  const [ours, theirs] = [`${a}.${quote(version)}`, `${b}.${quote(version)}`];
  return `(
      ${ours} > ${theirs}
      or (${ours} is not null and ${theirs} is null)
      or (${ours} is not distinct from ${theirs} and ${later})
    )`;
}

export function sameKey(stream: Stream, a: string, b: string): string {
  return stream.primaryKey.map((name) => `${a}.${quote(name)} = ${b}.${quote(name)}`).join(' and ');
}

/** Whether two rows are told apart: any of these columns differs. */
export function anyDiffers(names: readonly string[], a: string, b: string): string {
  const each = names.map((name) => `${a}.${quote(name)} is distinct from ${b}.${quote(name)}`);
  return each.length === 1 ? each[0]! : `(${each.join(' or ')})`;
}

/** What the seen keys are kept with: what `isNewer` looks at. */
function seenColumns(stream: Stream): string[] {
  const version = stream.version === null ? [] : [stream.version];
  return [...new Set([...stream.primaryKey, ...version]), '_synced_at'];
}

export function createSeen(stream: Stream, { seen }: Names, columns: readonly NativeColumn[]): string {
  const kept = seenColumns(stream);
  return createTable(
    seen,
    kept.map((name) => columns.find((column) => column.name === name)!),
  );
}

export function dropSeen({ seen }: Names): string {
  return `drop table if exists ${seen}`;
}

/** Records the batch's keys as seen, each with the newest version of it that the refresh has brought. */
export function mergeSeen(stream: Stream, names: Names): string {
  const kept = seenColumns(stream);
  return `merge into ${names.seen} s
using (
  ${newest(stream, names)}
) n
on ${sameKey(stream, 'n', 's')}
when matched and ${isNewer(stream, 'n', 's')} then update set
  ${kept
    .filter(isNoKey(stream))
    .map((name) => `${quote(name)} = n.${quote(name)}`)
    .join(',\n  ')}
when not matched then insert (${list(kept)})
  values (${kept.map((name) => `n.${quote(name)}`).join(', ')})`;
}

/** Marks the unseen rows of a span of the cursor field: `$at`, `$since`, `$until`. */
export function markUnseen(stream: Stream, names: Names): string {
  return `update ${names.table} t set "_deleted_at" = $at::timestamptz
where t."_deleted_at" is null and ${isUnseen(stream, names)}`;
}

/** How many rows are not marked, and how many of them `markUnseen` would mark: `$since`, `$until`. */
export function countUnseen(stream: Stream, names: Names): string {
  return `select
  (select count(*) from ${names.table} where "_deleted_at" is null) as unmarked,
  (select count(*) from ${names.table} t where t."_deleted_at" is null and ${isUnseen(stream, names)}) as unseen`;
}

function isUnseen(stream: Stream, { seen }: Names): string {
  const cursor = `t.${quote(stream.cursor)}`;
  return `${cursor} >= coalesce($since::timestamptz, '-infinity')
  and ${cursor} < coalesce($until::timestamptz, 'infinity')
  and not exists (select 1 from ${seen} s where ${sameKey(stream, 's', 't')})`;
}

function isNoKey(stream: Stream): (name: string) => boolean {
  return (name) => !stream.primaryKey.includes(name);
}

export function list(names: readonly string[]): string {
  return names.map(quote).join(', ');
}
