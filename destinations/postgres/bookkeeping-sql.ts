import { quote } from './sql.ts';

/** The statements about the tables that are ours alone: positions, runs and rejects. */

export const BOOKKEEPING_TABLES = ['_cleargrid_positions', '_cleargrid_runs', '_cleargrid_rejects'] as const;

const inSchema = (schema: string, name: (typeof BOOKKEEPING_TABLES)[number]) => `${quote(schema)}.${quote(name)}`;

export const positionsTable = (schema: string) => inSchema(schema, '_cleargrid_positions');

/**
 * Which of the bookkeeping tables are missing, and whether the schema is: `$1` schema. Read from the catalog's tables: what `to_regclass`
 * remembers may be older than what another run made while this one waited.
 */
export const SELECT_MISSING = `select n.name, not exists (select from pg_namespace s where s.nspname = $1) as schema_missing
from unnest(array[${BOOKKEEPING_TABLES.map((name) => `'${name}'`).join(', ')}]) as n(name)
where not exists (
  select from pg_class c join pg_namespace s on s.oid = c.relnamespace where s.nspname = $1 and c.relname = n.name
)`;

export function createBookkeeping(schema: string): Record<(typeof BOOKKEEPING_TABLES)[number], string> {
  return {
    _cleargrid_positions: `create table ${inSchema(schema, '_cleargrid_positions')} (
  "stream" text primary key,
  "position" jsonb,
  "token" bigint not null,
  "run_id" text not null,
  "updated_at" timestamptz not null
)`,
    _cleargrid_runs: `create table ${inSchema(schema, '_cleargrid_runs')} (
  "run_id" text primary key,
  "command" text not null,
  "version" text not null,
  "started_at" timestamptz not null,
  "ended_at" timestamptz,
  "status" text not null,
  "summary" jsonb
)`,
    _cleargrid_rejects: `create table ${inSchema(schema, '_cleargrid_rejects')} (
  "id" text primary key,
  "stream" text not null,
  "record" jsonb,
  "reason" text not null,
  "run_id" text not null,
  "seen_at" timestamptz not null
)`,
  };
}

/** Gives streams to a run, with a token greater than any before: `$1` streams, `$2` run. */
export function claimStreams(schema: string): string {
  const positions = positionsTable(schema);
  return `insert into ${positions} ("stream", "token", "run_id", "updated_at")
select s.name, 1 + coalesce((select max("token") from ${positions}), 0), $2, now()
from unnest($1::text[]) as s(name)
on conflict ("stream") do update set "token" = excluded."token", "run_id" = excluded."run_id"`;
}

/** `$1` streams. */
export function selectTokens(schema: string): string {
  return `select "stream", "token"::text as token from ${positionsTable(schema)} where "stream" = any($1::text[])`;
}

/** The position, its token and the identity that a table of the name `$2` has now: `$1` stream, `$3` schema. */
export function selectPosition(schema: string, lock: boolean): string {
  return `select p."position"::text as position, p."token"::text as token, (
  select c.oid::text from pg_class c join pg_namespace n on n.oid = c.relnamespace where n.nspname = $3 and c.relname = $2
) as identity
from ${positionsTable(schema)} p
where p."stream" = $1${lock ? '\nfor update of p' : ''}`;
}

/** The last statement of a commit; it hits no row once another run has taken the stream over. `$1` position, `$2` run, `$3` stream, `$4` token. */
export function updatePosition(schema: string): string {
  return `update ${positionsTable(schema)} set "position" = $1::jsonb, "run_id" = $2, "updated_at" = now()
where "stream" = $3 and "token" = $4::bigint`;
}

export function selectPositions(schema: string): string {
  return `select "stream", "position"::text as document, "run_id", ${instant('updated_at')} as updated_at
from ${positionsTable(schema)}
where "position" is not null
order by "stream"`;
}

/** Who has held the stream last: `$1` stream. */
export function selectHolder(schema: string): string {
  return `select "run_id" from ${positionsTable(schema)} where "stream" = $1`;
}

/** The same reject twice is one; in the order of their ids, so that those who write the same ones wait in one order. `$1` ids, `$2` records, `$3` reasons, `$4` instants, `$5` stream, `$6` run. */
export function insertRejects(schema: string): string {
  return `insert into ${inSchema(schema, '_cleargrid_rejects')} ("id", "stream", "record", "reason", "run_id", "seen_at")
select distinct on (r.id) r.id, $5, r.record::jsonb, r.reason, $6, r.seen_at::timestamptz
from unnest($1::text[], $2::text[], $3::text[], $4::text[]) as r(id, record, reason, seen_at)
order by r.id, r.seen_at
on conflict ("id") do nothing`;
}

/** `$1` id, `$2` command, `$3` version, `$4` start, `$5` end, `$6` status, `$7` summary. */
export function upsertRun(schema: string): string {
  const kept = ['command', 'version', 'started_at', 'ended_at', 'status', 'summary'];
  return `insert into ${inSchema(schema, '_cleargrid_runs')}
  ("run_id", "command", "version", "started_at", "ended_at", "status", "summary")
values ($1, $2, $3, $4::timestamptz, $5::timestamptz, $6, $7::jsonb)
on conflict ("run_id") do update set ${kept.map((name) => `${quote(name)} = excluded.${quote(name)}`).join(', ')}`;
}

/** `$1` limit. */
export function selectRuns(schema: string): string {
  return `select "run_id", "command", "version", ${instant('started_at')} as started_at, ${instant('ended_at')} as ended_at,
  "status", "summary"::text as summary
from ${inSchema(schema, '_cleargrid_runs')} r
order by r."started_at" desc, r."run_id"
limit $1`;
}

/** `$1` runs. */
export function countRejects(schema: string): string {
  return `select "stream", "reason", count(*)::text as records, count(*) filter (where "run_id" = any($1::text[]))::text as fresh,
  ${instant('latest')} as seen_at
from (
  select "stream", "reason", "run_id", max("seen_at") over (partition by "stream", "reason") as latest
  from ${inSchema(schema, '_cleargrid_rejects')}
) r
group by "stream", "reason", latest
order by "stream", count(*) desc, "reason"`;
}

/** An instant as `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
export function instant(column: string): string {
  return `to_char(${quote(column)} at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')`;
}
