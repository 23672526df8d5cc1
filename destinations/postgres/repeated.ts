import type { Reject, Value } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import { repeatedKeyReject } from '../repeated-key.ts';
import type { NativeColumn } from './kinds.ts';
import type { Answer, Session } from './session.ts';
import { anyDiffers, type Names, newest, quote, sameKey } from './sql.ts';
import { valueText } from './widen.ts';

/** Rows that share a key and are not one row (design rule 14), found in the transaction that writes a batch. */

export interface Repeated {
  readonly rejects: readonly (Reject & { readonly seenAt: string })[];
  /** How many of them were in the batch. */
  readonly arrivals: number;
}

/** Keeps the stored rows that a batch may displace, before it is written. In a refresh only those that the refresh itself brought. */
export async function keepDisplaced(
  session: Session,
  names: Names,
  telling: readonly string[],
  refreshing: boolean,
): Promise<void> {
  const brought = refreshing ? `\n  and exists (select from ${names.seen} b where ${sameKey(names, 'b', 't')})` : '';
  await session.run(`create temp table ${names.displaced} on commit drop as
select ${names.columns.map(({ name }) => `t.${quote(name)}`).join(', ')}
from ${names.table} t
join (
  ${newest(names)}
) n on ${sameKey(names, 'n', 't')}
where t."_deleted_at" is null and ${anyDiffers(telling, 't', 'n')}${brought}`);
}

/** Once the batch is written: the rows of it that do not hold their key, and the displaced ones that no longer do. */
export async function readRepeated(session: Session, names: Names, telling: readonly string[]): Promise<Repeated> {
  const select = (from: string, arrived: boolean) => `select ${values(names.columns)}, ${arrived}::text as arrived
from ${from} r
join ${names.table} t on ${sameKey(names, 'r', 't')}
where ${anyDiffers(telling, 'r', 't')}`;
  const rows = await session.rows(`${select(names.staged, true)}\nunion all\n${select(names.displaced, false)}`);
  return {
    rejects: rows.map((row) => asReject(names.stream, names.columns, row)),
    arrivals: rows.filter(({ arrived }) => arrived === 'true').length,
  };
}

/** Removes the rows that do not keep their place when the table's key becomes the stream's: of one key, all but the newest. */
export async function removeCollided(session: Session, names: Names): Promise<Repeated> {
  const { stream, table } = names;
  const version = stream.version === null ? '' : `s.${quote(stream.version)} desc nulls last, `;
  const rows = await session.rows(
    `delete from ${table} r using (
  select s.ctid as row, row_number() over (
    partition by ${stream.primaryKey.map((name) => `s.${quote(name)}`).join(', ')}
    order by s."_deleted_at" is null desc, ${version}s."_synced_at" desc
  ) as place
  from ${table} s
) o
where r.ctid = o.row and o.place > 1
returning ${values(names.columns)}`,
    [],
    { slow: true },
  );
  return { rejects: rows.map((row) => asReject(stream, names.columns, row)), arrivals: 0 };
}

function values(columns: readonly NativeColumn[]): string {
  return columns.map((column, at) => `${valueText(`r.${quote(column.name)}`, column)} as c${at}`).join(', ');
}

function asReject(stream: Stream, columns: readonly NativeColumn[], row: Answer): Repeated['rejects'][number] {
  const at = (name: string) => columns.findIndex((column) => column.name === name);
  const of = (name: string): Value => row[`c${at(name)}`] ?? null;
  return { ...repeatedKeyReject(stream, of), seenAt: of('_synced_at') as string };
}
