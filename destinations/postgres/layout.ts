import type { Stream } from '../../schemas/stream.ts';
import { StreamFailure } from '../failure.ts';
import type { Session } from './session.ts';
import { loadingName, seenName } from './sql.ts';

/** A stream's table as it is in the database. */
export interface Layout {
  /** Its oid: a table made anew has another, one that is renamed or truncated keeps it. */
  readonly identity: string;
  readonly name: string;
  /** Whether it is the keyless table of a first load that has not ended. */
  readonly isLoading: boolean;
  /** `format_type` of each column by its name. */
  readonly columns: ReadonlyMap<string, string>;
  readonly keys: readonly TableKey[];
  /** How many rows the server believes it to have; below zero when it has no idea. */
  readonly estimatedRows: number;
  /** Whether the keys that a refresh has seen are kept beside it. */
  readonly hasSeen: boolean;
}

/** A unique index over columns, whole and of all rows. */
export interface TableKey {
  readonly index: string;
  /** The name of the constraint that it serves, or null. */
  readonly constraint: string | null;
  readonly primary: boolean;
  readonly columns: readonly string[];
}

/** `$1` schema, `$2` table, `$3` loading table, `$4` table of seen keys. The table under its own name comes first. */
const SELECT_LAYOUT = `select c.oid::text as identity, c.relname as name, c.relkind::text as kind, c.reltuples::text as estimate,
  to_regclass(quote_ident($1) || '.' || quote_ident($4)) is not null as has_seen,
  (select json_agg(json_build_array(a.attname, format_type(a.atttypid, a.atttypmod)) order by a.attnum)
    from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped) as columns,
  (select json_agg(json_build_object('index', i.relname, 'constraint', k.conname, 'primary', x.indisprimary, 'columns', (
      select json_agg(a.attname order by p.place)
      from unnest(x.indkey::int2[]) with ordinality as p(number, place)
      join pg_attribute a on a.attrelid = c.oid and a.attnum = p.number
      where p.place <= x.indnkeyatts
    )))
    from pg_index x
    join pg_class i on i.oid = x.indexrelid
    left join pg_constraint k on k.conindid = x.indexrelid and k.conrelid = c.oid and k.contype in ('p', 'u')
    where x.indrelid = c.oid and x.indisunique and x.indisvalid and x.indimmediate and x.indpred is null and x.indexprs is null) as keys
from pg_class c
join pg_namespace n on n.oid = c.relnamespace
where n.nspname = $1 and c.relname in ($2, $3) and c.relkind not in ('i', 'I', 'S', 't')
order by c.relname = $2 desc`;

/**
 * Reads what is there under a stream's name, or as its loading table.
 *
 * @returns null when there is neither.
 * @throws {StreamFailure} `config_error` when the name belongs to a view or the like.
 */
export async function readLayout(session: Session, schema: string, stream: Stream): Promise<Layout | null> {
  const [found] = await session.rows(SELECT_LAYOUT, [
    schema,
    stream.name,
    loadingName(stream.name),
    seenName(stream.name),
  ]);
  if (found === undefined) return null;
  if (found.kind !== 'r' && found.kind !== 'p') {
    throw new StreamFailure(
      'config_error',
      stream.name,
      `stream ${stream.name}: the name of its table belongs to something else (a view?) in schema ${schema}; rename that, and run again`,
    );
  }
  return {
    identity: found.identity!,
    name: found.name!,
    isLoading: found.name !== stream.name,
    columns: new Map(JSON.parse(found.columns ?? '[]') as [string, string][]),
    keys: JSON.parse(found.keys ?? '[]') as TableKey[],
    estimatedRows: Number(found.estimate),
    hasSeen: found.has_seen === 't',
  };
}

/** Whether rows are told apart by exactly these columns. */
export function isKeyedBy({ keys }: Layout, columns: readonly string[]): boolean {
  return keys.some((key) => isSameKey(key.columns, columns));
}

export function isSameKey(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name) => b.includes(name));
}
