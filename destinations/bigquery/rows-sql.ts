import type { Stream } from '../../schemas/stream.ts';
import type { NativeColumn } from './kinds.ts';
import { list, quote } from './names.ts';
import { loadedValues, STAGED } from './ndjson.ts';
import type { MergePart } from './partitions.ts';

/** The statements that write a stream's rows, as text made by pure functions. */

/** The tables that the statements about one stream name, quoted. */
export interface Tables {
  readonly table: string;
  /** The keys that an open full refresh has brought. */
  readonly seen: string;
  /** What a batch has been loaded into. */
  readonly staging: string;
}

/** Of loaded rows, the newest of each key; of equal ones the first that came. */
export function newest(stream: Stream, loaded: string): string {
  const version = stream.version === null ? '' : `${quote(stream.version)} desc nulls last, `;
  return `select ${loadedValues('_row', stream)} from ${loaded} _row
  where ${quote(STAGED.row)} is not null
  qualify row_number() over (
    partition by ${list(stream.primaryKey)} order by ${version}\`_synced_at\` desc, ${quote(STAGED.row)}
  ) = 1`;
}

/** Writes the newest row of each key where it wins against the stored one and is not the same. */
export function mergeRows(
  stream: Stream,
  tables: Tables,
  columns: readonly NativeColumn[],
  part: MergePart,
  refreshing: boolean,
): string {
  const own = columns.filter(({ name }) => name !== '_deleted_at');
  const values = own.filter(({ name }) => !stream.primaryKey.includes(name));
  const differs = values.filter(({ name }) => name !== '_synced_at').map(isOther);
  const wins = refreshing ? '_new.`_cleargrid_wins`' : isNewer(stream, '_new', '_old');
  const names = own.map(({ name }) => name);
  return `merge ${tables.table} _old
using (
  ${source(stream, tables, part, refreshing)}
) _new
on ${sameKey(stream, '_new', '_old')}${part.among === null ? '' : `\nand ${part.among}`}
when matched and (
  _old.\`_deleted_at\` is not null
  or (
    ${wins}
    and (
      ${differs.join('\n      or ')}
    )
  )
) then update set
  ${values.map(({ name }) => `${quote(name)} = _new.${quote(name)}`).join(',\n  ')},
  \`_deleted_at\` = cast(null as timestamp)
when not matched then insert (${list(names)})
  values (${names.map((name) => `_new.${quote(name)}`).join(', ')})`;
}

/** In a refresh, the first row that it brings of a key wins whatever is stored; later ones are measured by what it has brought. */
function source(stream: Stream, { staging, seen }: Tables, { rows }: MergePart, refreshing: boolean): string {
  const where = rows === null ? '' : `\n  where ${rows}`;
  if (!refreshing)
    return rows === null ? newest(stream, staging) : `select * from (${newest(stream, staging)}) _new${where}`;
  return `select _new.*, _seen.\`_synced_at\` is null or ${isNewer(stream, '_new', '_seen')} as \`_cleargrid_wins\`
  from (${newest(stream, staging)}) _new
  left join ${seen} _seen on ${sameKey(stream, '_new', '_seen')}${where}`;
}

/** BigQuery compares no JSON: its text is compared instead. */
function isOther({ name, type }: NativeColumn): string {
  const [ours, theirs] = [`_new.${quote(name)}`, `_old.${quote(name)}`];
  if (type !== 'JSON') return `${ours} is distinct from ${theirs}`;
  return `to_json_string(${ours}) is distinct from to_json_string(${theirs})`;
}

/** Newer wins: by the version column, null lowest, and where that is equal by the time of reading. */
export function isNewer({ version }: Stream, a: string, b: string): string {
  const later = `${a}.\`_synced_at\` > ${b}.\`_synced_at\``;
  if (version === null) return later;
  const [ours, theirs] = [`${a}.${quote(version)}`, `${b}.${quote(version)}`];
  return `(coalesce(${ours} > ${theirs}, false) or (${ours} is not null and ${theirs} is null) or (${ours} is not distinct from ${theirs} and ${later}))`;
}

export function sameKey(stream: Stream, a: string, b: string): string {
  return stream.primaryKey.map((name) => `${a}.${quote(name)} = ${b}.${quote(name)}`).join(' and ');
}

/** What the seen keys are kept with: what `isNewer` looks at. */
export function seenColumns(stream: Stream): string[] {
  const version = stream.version === null ? [] : [stream.version];
  return [...new Set([...stream.primaryKey, ...version]), '_synced_at'];
}

/** Records the batch's keys as seen, each with the newest version of it that the refresh has brought. */
export function mergeSeen(stream: Stream, { seen, staging }: Tables): string {
  const kept = seenColumns(stream);
  const values = kept.filter((name) => !stream.primaryKey.includes(name));
  return `merge ${seen} _seen
using (
  ${newest(stream, staging)}
) _new
on ${sameKey(stream, '_new', '_seen')}
when matched and ${isNewer(stream, '_new', '_seen')} then update set
  ${values.map((name) => `${quote(name)} = _new.${quote(name)}`).join(',\n  ')}
when not matched then insert (${list(kept)})
  values (${kept.map((name) => `_new.${quote(name)}`).join(', ')})`;
}

export function forgetSeen({ seen }: Pick<Tables, 'seen'>): string {
  return `delete from ${seen} where true`;
}

/** The same reject twice is one: `@stream`, `@run`. */
export function insertStagedRejects(rejects: string, { staging }: Tables): string {
  return `insert into ${rejects} (\`id\`, \`stream\`, \`record\`, \`reason\`, \`run_id\`, \`seen_at\`)
select _new.${quote(STAGED.rejectId)}, @stream, json_query(_new.${quote(STAGED.rejectRecord)}, '$[0]'), _new.${quote(STAGED.rejectReason)}, @run, _new.${quote(STAGED.rejectSeenAt)}
from (
  select * from ${staging}
  where ${quote(STAGED.rejectId)} is not null
  qualify row_number() over (partition by ${quote(STAGED.rejectId)} order by ${quote(STAGED.rejectSeenAt)}) = 1
) _new
where not exists (select 1 from ${rejects} r where r.\`id\` = _new.${quote(STAGED.rejectId)})`;
}

/** Counts the rows that are not marked, and those of them that `markUnseen` would mark, into the variable `found`: `@since`, `@until`. */
export function countUnseen(stream: Stream, { table, seen }: Tables): string {
  return `set found = (
  select as struct count(*) as unmarked, countif(_seen.\`_synced_at\` is null and ${isInSpan(stream)}) as unseen
  from ${table} _old
  left join ${seen} _seen on ${sameKey(stream, '_seen', '_old')}
  where _old.\`_deleted_at\` is null
)`;
}

/** Marks the unseen rows of a span of the cursor field: `@at`, `@since`, `@until`. */
export function markUnseen(stream: Stream, { table, seen }: Tables): string {
  return `update ${table} _old set \`_deleted_at\` = timestamp(@at)
where _old.\`_deleted_at\` is null
  and ${isInSpan(stream)}
  and not exists (select 1 from ${seen} _seen where ${sameKey(stream, '_seen', '_old')})`;
}

/** A row without a cursor value is in no span. */
function isInSpan({ cursor }: Stream): string {
  const value = `_old.${quote(cursor)}`;
  return `coalesce(${value} >= timestamp(coalesce(@since, '0001-01-01T00:00:00Z')) and (@until is null or ${value} < timestamp(@until)), false)`;
}
