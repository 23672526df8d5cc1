import { inPlace, LEASES, literal, type Place, POSITIONS, REJECTS, RUNS } from './names.ts';
import { MANAGED_BY } from './tables-sql.ts';

/**
 * The statements about positions, leases, runs and rejects.
 *
 * Positions are appended, never updated: transactions that change a table's rows cancel each other, transactions that append to it do
 * not. What counts of a stream is the position with the greatest token, and of that the greatest sequence: a run that lost its
 * lease may append what it likes. https://cloud.google.com/bigquery/docs/transactions
 */

const OPTIONS = `options (labels = [('managed_by', ${literal(MANAGED_BY)})])`;

/** The row of the leases that belongs to no stream: it holds the greatest token given so far, and whoever takes leases changes it. */
const COUNTER = `''`;

export function createBookkeeping(place: Place): string {
  return `create table if not exists ${inPlace(place, POSITIONS)} (
  \`stream\` STRING,
  \`position\` JSON,
  \`token\` INT64,
  \`sequence\` INT64,
  \`run_id\` STRING,
  \`updated_at\` TIMESTAMP
)
${OPTIONS};
create table if not exists ${inPlace(place, LEASES)} (
  \`stream\` STRING,
  \`run_id\` STRING,
  \`token\` INT64,
  \`started_at\` TIMESTAMP,
  \`expires_at\` TIMESTAMP
)
${OPTIONS};
create table if not exists ${inPlace(place, RUNS)} (
  \`run_id\` STRING,
  \`command\` STRING,
  \`version\` STRING,
  \`started_at\` TIMESTAMP,
  \`ended_at\` TIMESTAMP,
  \`status\` STRING,
  \`summary\` JSON
)
${OPTIONS};
create table if not exists ${inPlace(place, REJECTS)} (
  \`id\` STRING,
  \`stream\` STRING,
  \`record\` JSON,
  \`reason\` STRING,
  \`run_id\` STRING,
  \`seen_at\` TIMESTAMP
)
cluster by \`stream\`
${OPTIONS};
insert into ${inPlace(place, LEASES)} (\`stream\`, \`token\`)
select ${COUNTER}, 0 from unnest([0])
where not exists (select 1 from ${inPlace(place, LEASES)} where \`stream\` = ${COUNTER})`;
}

/** How long a lease lasts from when it was last renewed, in seconds. */
export const LEASE_SECONDS = 60;

const EXPIRY = `timestamp_add(current_timestamp(), interval ${LEASE_SECONDS} second)`;

/**
 * Takes the leases of all these streams, or of none when a live one is in the way, and hands each stream's position on to the new
 * token; answers who has the leases: `@streams`, `@run`, `@started`, and `@together`, with which the runs end that may have them as well. A
 * stream that one of those has keeps its token. Answers nothing while the counter is not there yet: somebody else is making it.
 *
 * Whoever takes leases changes the counter's row, so of two at once one is cancelled; the time is BigQuery's own.
 */
export function takeLeases(place: Place): string {
  const [leases, positions] = [inPlace(place, LEASES), inPlace(place, POSITIONS)];
  return `declare next int64;
begin transaction;
update ${leases} set \`token\` = 1 + greatest(
  (select max(l.\`token\`) from ${leases} l),
  (select coalesce(max(p.\`token\`), 0) from ${positions} p)
) where \`stream\` = ${COUNTER};
if @@row_count = 0 then
  rollback transaction;
  select 1 limit 0;
  return;
end if;
set next = (select max(l.\`token\`) from ${leases} l);
delete from ${leases} where \`stream\` in unnest(@streams) and \`expires_at\` <= current_timestamp();
insert into ${leases} (\`stream\`, \`run_id\`, \`token\`, \`started_at\`, \`expires_at\`)
select wanted, @run, coalesce(held.\`token\`, next), timestamp(@started), ${EXPIRY}
from unnest(@streams) wanted
left join (select \`stream\`, max(\`token\`) as \`token\` from ${leases} group by \`stream\`) held on held.\`stream\` = wanted
where not exists (
  select 1 from ${leases} l where l.\`stream\` in unnest(@streams) and not ends_with(l.\`run_id\`, @together)
);
insert into ${positions} (\`stream\`, \`position\`, \`token\`, \`sequence\`, \`run_id\`, \`updated_at\`)
select l.\`stream\`, p.\`position\`, next, 0, coalesce(p.\`run_id\`, @run), coalesce(p.\`updated_at\`, current_timestamp())
from ${leases} l
left join (${latestPositions(place)}) p on p.\`stream\` = l.\`stream\`
where l.\`token\` = next and l.\`stream\` in unnest(@streams);
delete from ${positions}
where \`token\` < next
  and \`stream\` in (select l.\`stream\` from ${leases} l where l.\`token\` = next and l.\`stream\` in unnest(@streams));
commit transaction;
select l.\`stream\`, l.\`run_id\`, l.\`token\`, l.\`started_at\`
from ${leases} l
where l.\`stream\` in unnest(@streams)
order by l.\`started_at\`, l.\`stream\``;
}

/** Of each stream, the position that counts. */
function latestPositions(place: Place): string {
  return `select * from ${inPlace(place, POSITIONS)}
  where true
  qualify row_number() over (partition by \`stream\` order by \`token\` desc, \`sequence\` desc) = 1`;
}

/** Answers how many leases were renewed: `@run`. */
export function renewLeases(place: Place): string {
  return `update ${inPlace(place, LEASES)} set \`expires_at\` = ${EXPIRY}
where \`run_id\` = @run`;
}

/** `@run`. */
export function endLeases(place: Place): string {
  return `delete from ${inPlace(place, LEASES)} where \`run_id\` = @run and \`stream\` <> ${COUNTER}`;
}

/** In a transaction: of all that do this at once one goes on, and the others are cancelled and come after it. */
export function comeAlone(place: Place): string {
  return `update ${inPlace(place, LEASES)} set \`token\` = \`token\` where \`stream\` = ${COUNTER}`;
}

/** Whether somebody has the lease by this token: `@stream`, `@token`. */
export function isHeld(place: Place): string {
  return `exists (select 1 from ${inPlace(place, LEASES)} l where l.\`stream\` = @stream and l.\`token\` = @token)`;
}

/**
 * In a transaction: makes every other run that takes leases, or has just taken them, fail, or this one. What must not happen after
 * another run has begun needs it; a commit of rows does not. `@stream`, `@token`.
 */
export function holdLease(place: Place): string {
  return `update ${inPlace(place, LEASES)} set \`expires_at\` = ${EXPIRY}
where \`stream\` = @stream and \`token\` = @token`;
}

/**
 * Appends a position, if the run has its lease still and nobody has stored another position meanwhile; `@@row_count` tells.
 * `@stream`, `@position`, `@token`, `@sequence`, `@run`.
 */
export function appendPosition(place: Place): string {
  return `insert into ${inPlace(place, POSITIONS)} (\`stream\`, \`position\`, \`token\`, \`sequence\`, \`run_id\`, \`updated_at\`)
select @stream, parse_json(@position), @token, @sequence, @run, current_timestamp()
from unnest([0])
where ${isHeld(place)}
  and not exists (
    select 1 from ${inPlace(place, POSITIONS)} p
    where p.\`stream\` = @stream and (p.\`token\` > @token or (p.\`token\` = @token and p.\`sequence\` >= @sequence))
  )`;
}

/** What is stored of one stream, and whether the run has its lease: `@stream`, `@token`. */
export function selectProgress(place: Place): string {
  return `select
  (select count(*) from ${inPlace(place, LEASES)} l where l.\`stream\` = @stream and l.\`token\` = @token) as held,
  p.\`position\`, p.\`token\`, p.\`sequence\`
from (select @stream as stream)
left join (${latestPositions(place)}) p using (stream)`;
}

export function selectPositions(place: Place): string {
  return `select \`stream\`, \`position\`, \`run_id\`, \`updated_at\`
from (${latestPositions(place)})
where \`position\` is not null
order by \`stream\``;
}

/** `@id`, `@command`, `@version`, `@started`, `@ended`, `@status`, `@summary`. */
export function upsertRun(place: Place): string {
  return `merge ${inPlace(place, RUNS)} r
using (select @id as id) n on n.id = r.\`run_id\`
when matched then update set
  \`ended_at\` = timestamp(@ended), \`status\` = @status, \`summary\` = parse_json(@summary)
when not matched then insert (\`run_id\`, \`command\`, \`version\`, \`started_at\`, \`ended_at\`, \`status\`, \`summary\`)
  values (@id, @command, @version, timestamp(@started), timestamp(@ended), @status, parse_json(@summary))`;
}

/** `@limit`. */
export function selectRuns(place: Place): string {
  return `select \`run_id\`, \`command\`, \`version\`, \`started_at\`, \`ended_at\`, \`status\`, \`summary\`
from ${inPlace(place, RUNS)}
order by \`started_at\` desc, \`run_id\`
limit @limit`;
}

/** How many runs the last day had. */
export function countRuns(place: Place): string {
  return `select count(*) as \`runs\`
from ${inPlace(place, RUNS)}
where \`command\` = 'sync' and \`started_at\` > timestamp_sub(current_timestamp(), interval 1 day)`;
}

/** `@runs`. */
export function countRejects(place: Place): string {
  return `select \`stream\`, \`reason\`, count(*) as \`records\`, countif(\`run_id\` in unnest(@runs)) as \`fresh\`, max(\`seen_at\`) as \`seen_at\`
from ${inPlace(place, REJECTS)}
group by \`stream\`, \`reason\`
order by \`stream\`, \`records\` desc, \`reason\``;
}

/** Rejects as one JSON list of objects: `@stream`, `@run`, `@rejects`. */
export function insertRejects(place: Place): string {
  const rejects = inPlace(place, REJECTS);
  return `insert into ${rejects} (\`id\`, \`stream\`, \`record\`, \`reason\`, \`run_id\`, \`seen_at\`)
select n.id, @stream, parse_json(n.record), n.reason, @run, timestamp(n.seen_at)
from (
  select json_value(reject, '$.id') as id, json_value(reject, '$.record') as record,
    json_value(reject, '$.reason') as reason, json_value(reject, '$.seen_at') as seen_at
  from unnest(json_query_array(parse_json(@rejects))) reject
) n
where not exists (select 1 from ${rejects} r where r.\`id\` = n.id)`;
}
