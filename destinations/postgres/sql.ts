import { hash } from 'node:crypto';
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

/** What the statements about one stream share: names of tables, quoted, and the columns that batches bring. */
export interface Names {
  readonly schema: string;
  readonly stream: Stream;
  readonly table: string;
  /** The keyless table of a first load, which takes the table's name at its end. */
  readonly loading: string;
  /** The keys that an open full refresh has brought. */
  readonly seen: string;
  /** The batch's rows as they came; each session has its own. */
  readonly staged: string;
  /** Stored rows of a suspected key that a batch is about to displace. */
  readonly displaced: string;
  readonly columns: readonly NativeColumn[];
}

export const loadingName = (stream: string) => fitName(`_cleargrid_loading_${stream}`);
export const seenName = (stream: string) => fitName(`_cleargrid_seen_${stream}`);
/** What a column is called until it is filled. */
export const fillingName = (column: string) => fitName(`_cleargrid_filling_${column}`);
export const keyName = (stream: string) => fitName(`${stream}_pkey`);

/** Postgres cuts longer names off, in bytes, and then two may become one. */
export const MAX_NAME_BYTES = 63;

function fitName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const digest = hash('sha256', name).slice(0, 12);
  const kept = Buffer.from(name).subarray(0, MAX_NAME_BYTES - 1 - digest.length);
  return `${kept.toString().replace(/\ufffd+$/, '')}_${digest}`;
}

export function namesOf(schema: string, stream: Stream, columns: readonly NativeColumn[]): Names {
  const inSchema = (name: string) => `${quote(schema)}.${quote(name)}`;
  return {
    schema,
    stream,
    table: inSchema(stream.name),
    loading: inSchema(loadingName(stream.name)),
    seen: inSchema(seenName(stream.name)),
    staged: `pg_temp.${quote(fitName(`_cleargrid_staged_${stream.name}`))}`,
    displaced: 'pg_temp."_cleargrid_displaced"',
    columns,
  };
}

/** `column type, ...` of a DDL statement. */
export function definitions(columns: readonly NativeColumn[], notNull: readonly string[]): string {
  return columns
    .map(({ name, type }) => `  ${quote(name)} ${nativeType(type)}${notNull.includes(name) ? ' not null' : ''}`)
    .join(',\n');
}

/** With its schema, so that no type of another schema is meant; `double precision` has a name of two words otherwise. */
export function nativeType(type: NativeColumn['type']): string {
  const names = { bigint: 'int8', boolean: 'bool', 'double precision': 'float8' } as const;
  return `pg_catalog.${names[type as keyof typeof names] ?? type}`;
}

export function createStaged({ staged, columns }: Names): string {
  return `create temp table if not exists ${staged} (\n${definitions(columns, [])}\n) on commit delete rows`;
}

export function copyInto(table: string, columns: readonly string[]): string {
  return `copy ${table} (${list(columns)}) from stdin (format binary)`;
}

/** Of a batch's rows, the newest of each key, in the key's order: lanes that write the same keys wait for each other in one order. */
export function newest(names: Names, columns: readonly string[] = names.columns.map(({ name }) => name)): string {
  const key = keyOrder(names, 's');
  return `select distinct on (${key}) ${columns.map((name) => `s.${quote(name)}`).join(', ')}
  from ${names.staged} s
  order by ${key}, ${versionOrder(names, 's')}`;
}

/** The key by its bytes, which is many times faster than by a language's rules, and as good for an order of our own. */
function keyOrder({ stream, columns }: Names, alias: string): string {
  return stream.primaryKey
    .map((name) => {
      const isText = columns.find((column) => column.name === name)?.type === 'text';
      return `${alias}.${quote(name)}${isText ? ' collate "C"' : ''}`;
    })
    .join(', ');
}

function versionOrder({ stream }: Names, alias: string): string {
  const version = stream.version === null ? '' : `${alias}.${quote(stream.version)} desc nulls last, `;
  return `${version}${alias}."_synced_at" desc`;
}

/**
 * Writes the newest row of each key that is not there. Fails where another transaction brings the same key meanwhile (`unique_violation`);
 * in the key's order, so that two of them wait for each other in one order (with an upsert it may deadlock, and is done again).
 */
export function insertMissing(names: Names): string {
  const own = names.columns.map(({ name }) => name);
  return `insert into ${names.table} (${list(own)})
select ${list(own, 'n')}
from (
  ${newest(names)}
) n
where not exists (select from ${names.table} o where ${sameKey(names, 'o', 'n')})
order by ${keyOrder(names, 'n')}`;
}

/**
 * Writes the newest row of each key where it is newer than the stored one and not the same.
 *
 * @param lookFirst whether most rows are expected to be there already: then they are looked up before, and those that did not change
 *   are not touched at all. Without it each of them would be locked, which is written to disk.
 */
export function mergeRows(names: Names, lookFirst: boolean): string {
  const own = names.columns.map(({ name }) => name);
  const wins = (n: string, t: string) => `(${isNewer(names, n, t)} and ${differs(names, n, t)})`;
  const source = lookFirst
    ? `select ${list(own, 'n')}
from (
  ${newest(names)}
) n
left join ${names.table} o on ${sameKey(names, 'o', 'n')}
where ${isMissing(names, 'o')} or o."_deleted_at" is not null or ${wins('n', 'o')}
order by ${keyOrder(names, 'n')}`
    : newest(names);
  return insertOver(names, source, wins('excluded', 't'));
}

/**
 * In a full refresh, once its keys are recorded: a row that is the newest that the refresh has brought of its key replaces whatever is
 * stored. Its record in the table of seen keys is locked by this transaction, or is the same since an earlier one.
 */
export function mergeRefreshed(names: Names): string {
  const own = names.columns.map(({ name }) => name);
  const isBrought = versionColumns(names).map((name) => `n.${quote(name)} is not distinct from b.${quote(name)}`);
  const source = `select ${list(own, 'n')}
from (
  ${newest(names)}
) n
join ${names.seen} b on ${sameKey(names, 'b', 'n')}
left join ${names.table} o on ${sameKey(names, 'o', 'n')}
where ${isMissing(names, 'o')} or o."_deleted_at" is not null
  or (${isBrought.join(' and ')} and ${differs(names, 'n', 'o')})
order by ${keyOrder(names, 'n')}`;
  return insertOver(names, source, differs(names, 'excluded', 't'));
}

function insertOver(names: Names, source: string, wins: string): string {
  const own = names.columns.map(({ name }) => name);
  const replaced = own.filter((name) => !names.stream.primaryKey.includes(name));
  return `insert into ${names.table} as t (${list(own)})
${source}
on conflict (${list(names.stream.primaryKey)}) do update set
  ${replaced.map((name) => `${quote(name)} = excluded.${quote(name)}`).join(',\n  ')},
  "_deleted_at" = null
where t."_deleted_at" is not null or ${wins}`;
}

/** Whether an outer join found no row. */
function isMissing({ stream }: Names, alias: string): string {
  return `${alias}.${quote(stream.primaryKey[0]!)} is null`;
}

/** Newer wins: by the version column, null lowest, and where that is equal by the time of reading. */
export function isNewer({ stream: { version } }: Names, a: string, b: string): string {
  const later = `${a}."_synced_at" > ${b}."_synced_at"`;
  if (version === null) return later;
  const [ours, theirs] = [`${a}.${quote(version)}`, `${b}.${quote(version)}`];
  return `(${ours} > ${theirs} or (${ours} is not null and ${theirs} is null) or (${ours} is not distinct from ${theirs} and ${later}))`;
}

/** Whether anything but the time of reading differs. */
function differs({ columns, stream }: Names, a: string, b: string): string {
  const compared = columns.filter(({ name }) => name !== '_synced_at' && !stream.primaryKey.includes(name));
  return anyDiffers(
    compared.map(({ name }) => name),
    a,
    b,
  );
}

/** Whether any of these columns differs. */
export function anyDiffers(names: readonly string[], a: string, b: string): string {
  return `(${list(names, a)}) is distinct from (${list(names, b)})`;
}

export function sameKey({ stream }: Names, a: string, b: string): string {
  return stream.primaryKey.map((name) => `${a}.${quote(name)} = ${b}.${quote(name)}`).join(' and ');
}

/** What `isNewer` looks at. */
function versionColumns({ stream }: Names): string[] {
  return stream.version === null ? ['_synced_at'] : [stream.version, '_synced_at'];
}

function seenColumns(names: Names): string[] {
  return [...new Set([...names.stream.primaryKey, ...versionColumns(names)])];
}

export function createSeen(names: Names): string {
  const columns = seenColumns(names).map((name) => names.columns.find((column) => column.name === name)!);
  return `create table ${names.seen} (\n${definitions(columns, [])},\n  primary key (${list(names.stream.primaryKey)})\n)`;
}

/** Records the batch's keys as seen, each with the newest version of it that the refresh has brought. */
export function mergeSeen(names: Names): string {
  const kept = seenColumns(names);
  const replaced = kept.filter((name) => !names.stream.primaryKey.includes(name));
  return `insert into ${names.seen} as b (${list(kept)})
${newest(names, kept)}
on conflict (${list(names.stream.primaryKey)}) do update set
  ${replaced.map((name) => `${quote(name)} = excluded.${quote(name)}`).join(', ')}
where ${isNewer(names, 'excluded', 'b')}`;
}

/**
 * Removes all but the newest of each key. There are few of them: rows that changed while they were read, and those that were read
 * again after a crash.
 */
export function deleteOlder(names: Names, table: string): string {
  const key = list(names.stream.primaryKey);
  return `delete from ${table} d using (
  select s.ctid as row, row_number() over (partition by ${list(names.stream.primaryKey, 's')} order by ${versionOrder(names, 's')}) as place
  from ${table} s
  where (${list(names.stream.primaryKey, 's')}) in (select ${key} from ${table} group by ${key} having count(*) > 1)
) o
where d.ctid = o.row and o.place > 1`;
}

/** Marks the unseen rows of a span of the cursor field: `$1` since, `$2` until, `$3` at. */
export function markUnseen(names: Names): string {
  return `update ${names.table} t set "_deleted_at" = $3::timestamptz
where t."_deleted_at" is null and ${isUnseen(names)}`;
}

/**
 * How many rows are not marked, and how many of them `markUnseen` would mark: `$1` since, `$2` until. Two counts: of one with a filter, Postgres would
 * look up each row by itself.
 */
export function countUnseen(names: Names): string {
  const unmarked = `select count(*) from ${names.table} t where t."_deleted_at" is null`;
  return `select (${unmarked})::text as unmarked, (${unmarked} and ${isUnseen(names)})::text as unseen`;
}

function isUnseen(names: Names): string {
  const cursor = `t.${quote(names.stream.cursor)}`;
  return `${cursor} >= coalesce($1::timestamptz, '-infinity') and ${cursor} < coalesce($2::timestamptz, 'infinity')
  and not exists (select from ${names.seen} b where ${sameKey(names, 'b', 't')})`;
}

export function list(names: readonly string[], alias?: string): string {
  return names.map((name) => (alias === undefined ? quote(name) : `${alias}.${quote(name)}`)).join(', ');
}
