import type { Stream } from '../../schemas/stream.ts';
import { type NativeColumn, nativeColumns } from './kinds.ts';
import { columnName, labelValue, list, literal, quote } from './names.ts';
import { STAGED } from './ndjson.ts';
import { partitionColumn } from './partitions.ts';
import { newest, seenColumns } from './rows-sql.ts';

/** The statements that make and change tables. */

/** Told on all that is ours, so that its costs can be told from others'. */
export const MANAGED_BY = 'cleargrid-connector';

/** The label that names the loading table which a table was made of. */
export const MADE_FROM = 'cleargrid_made_from';

/** A table is clustered by up to four columns. https://cloud.google.com/bigquery/docs/clustered-tables#limitations */
const MOST_CLUSTERED = 4;

export type Granularity = 'day' | 'month';

/**
 * Makes a stream's table, empty.
 *
 * @param madeFrom the identity of the loading table that it stands for; null: it never had one.
 */
export function createTable(stream: Stream, table: string, madeFrom: string | null, granularity: Granularity): string {
  const columns = nativeColumns(stream).map((column) => `  ${definition(column)}`);
  const partitioned = partitionColumn(stream);
  const partition = partitioned === null ? '' : `\npartition by timestamp_trunc(${quote(partitioned)}, ${granularity})`;
  const labels = [['managed_by', MANAGED_BY], ...(madeFrom === null ? [] : [[MADE_FROM, labelValue(madeFrom)]])];
  const options = [
    ...(stream.description === '' ? [] : [`description = ${literal(stream.description)}`]),
    `labels = [${labels.map(([name, value]) => `(${literal(name!)}, ${literal(value!)})`).join(', ')}]`,
  ];
  return `create table if not exists ${table} (
${columns.join(',\n')},
  primary key (${list(stream.primaryKey)}) not enforced
)${partition}
cluster by ${list(stream.primaryKey.slice(0, MOST_CLUSTERED))}
options (
  ${options.join(',\n  ')}
)`;
}

/** Makes a stream's table of what a first load has brought: the newest row of each key. */
export function createTableOf(
  stream: Stream,
  table: string,
  loading: string,
  madeFrom: string,
  granularity: Granularity,
): string {
  const loaded = nativeColumns(stream).filter(({ name }) => name !== '_deleted_at');
  return `${createTable(stream, table, madeFrom, granularity)}
as select ${loaded.map(({ name }) => `_new.${quote(name)}`).join(', ')}, cast(null as timestamp)
from (${newest(stream, loading)}) _new`;
}

/** How many rows a first load has brought, and how many days they are of. */
export function countLoaded(loading: string, partitioned: string | null): string {
  const days = partitioned === null ? '0' : `count(distinct timestamp_trunc(${quote(partitioned)}, day))`;
  return `select count(${quote(STAGED.row)}) as \`rows\`, ${days} as days from ${loading}`;
}

export function createSeen(stream: Stream, seen: string): string {
  const kept = seenColumns(stream);
  const columns = nativeColumns(stream).filter(({ name }) => kept.includes(name));
  return `create table if not exists ${seen} (
${columns.map((column) => `  ${quote(column.name)} ${column.type}`).join(',\n')}
)
cluster by ${list(stream.primaryKey.slice(0, MOST_CLUSTERED))}
options (labels = [('managed_by', ${literal(MANAGED_BY)})])`;
}

export function dropTable(table: string): string {
  return `drop table if exists ${table}`;
}

/** Gives a table the stream's key, in the place of the one it has. */
export function replaceKey(stream: Stream, table: string, hasKey: boolean): string {
  const drop = hasKey ? `alter table ${table} drop primary key;\n` : '';
  return `${drop}alter table ${table} add primary key (${list(stream.primaryKey)}) not enforced`;
}

function definition({ name, type, description }: NativeColumn): string {
  const options = description === null ? '' : ` options (description = ${literal(description)})`;
  return `\`${columnName(name)}\` ${type}${options}`;
}
