import { inPlace, type Place, quote } from './sql.ts';

/** The statements about the tables that are ours alone: positions, runs and rejects. */

export function createBookkeeping(place: Place): string[] {
  return [
    `create schema if not exists ${quote(place.catalog)}.${quote(place.schema)}`,
    `create table if not exists ${inPlace(place, '_cleargrid_positions')} (
  "stream" varchar primary key,
  "position" json,
  "token" bigint not null,
  "run_id" varchar not null,
  "updated_at" timestamptz not null
)`,
    `create table if not exists ${inPlace(place, '_cleargrid_runs')} (
  "run_id" varchar primary key,
  "command" varchar not null,
  "version" varchar not null,
  "started_at" timestamptz not null,
  "ended_at" timestamptz,
  "status" varchar not null,
  "summary" json
)`,
    `create table if not exists ${inPlace(place, '_cleargrid_rejects')} (
  "id" varchar primary key,
  "stream" varchar not null,
  "record" json,
  "reason" varchar not null,
  "run_id" varchar not null,
  "seen_at" timestamptz not null
)`,
  ];
}

/** Gives a stream to a run: a token greater than any before. `$stream`, `$run`, `$token`, `$at`. */
export function claimStream(place: Place): string {
  return `insert into ${inPlace(place, '_cleargrid_positions')} values ($stream, null, $token, $run, $at::timestamptz)
on conflict do update set "token" = excluded."token", "run_id" = excluded."run_id"`;
}

export function greatestToken(place: Place): string {
  return `select coalesce(max("token"), 0) as token from ${inPlace(place, '_cleargrid_positions')}`;
}

/** `$stream`. */
export function selectPosition(place: Place): string {
  return `select "position"::varchar as position, "token" from ${inPlace(place, '_cleargrid_positions')} where "stream" = $stream`;
}

export function selectPositions(place: Place): string {
  return `select "stream", "position"::varchar as position, "run_id", "updated_at"
from ${inPlace(place, '_cleargrid_positions')}
where "position" is not null
order by "stream"`;
}

/** `$stream`, `$position`, `$run`, `$at`. */
export function updatePosition(place: Place): string {
  return `update ${inPlace(place, '_cleargrid_positions')}
set "position" = $position::json, "run_id" = $run, "updated_at" = $at::timestamptz
where "stream" = $stream`;
}

/** What `insertRejects` takes its rows from. */
export const REJECT_COLUMNS = [
  { name: 'id', type: 'varchar' },
  { name: 'record', type: 'json' },
  { name: 'reason', type: 'varchar' },
  { name: 'seen_at', type: 'timestamptz' },
] as const;

/** The same reject twice is one. `$stream`, `$run`. */
export function insertRejects(place: Place): string {
  return `insert or ignore into ${inPlace(place, '_cleargrid_rejects')}
select "id", $stream, "record", "reason", $run, "seen_at"
from temp.main.rejects
qualify row_number() over (partition by "id" order by "seen_at") = 1`;
}

/** `$id`, `$command`, `$version`, `$started`, `$ended`, `$status`, `$summary`. */
export function upsertRun(place: Place): string {
  return `insert or replace into ${inPlace(place, '_cleargrid_runs')}
values ($id, $command, $version, $started::timestamptz, $ended::timestamptz, $status, $summary::json)`;
}

/** `$limit`. */
export function selectRuns(place: Place): string {
  return `select "run_id", "command", "version", "started_at", "ended_at", "status", "summary"::varchar as summary
from ${inPlace(place, '_cleargrid_runs')}
order by "started_at" desc, "run_id"
limit $limit`;
}

/** `$runs`. */
export function countRejects(place: Place): string {
  return `select "stream", "reason", count(*) as records, count(*) filter (where list_contains($runs, "run_id")) as fresh, max("seen_at") as seen_at
from ${inPlace(place, '_cleargrid_rejects')}
group by "stream", "reason"
order by "stream", records desc, "reason"`;
}

/** Whether a table of that name is there, and what its columns are: `$catalog`, `$schema`, `$table`. */
export const SELECT_COLUMNS = `select "column_name" as name, "data_type" as type, "comment" as comment
from duckdb_columns()
where "database_name" = $catalog and "schema_name" = $schema and "table_name" = $table
order by "column_index"`;
