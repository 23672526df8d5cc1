import type { Stream } from '../../schemas/stream.ts';

/** How names and texts are written for BigQuery. */

/** Where the tables are. */
export interface Place {
  readonly project: string;
  readonly dataset: string;
}

/** What a column's name may hold; a table's may hold less. https://cloud.google.com/bigquery/docs/schemas#flexible-column-names */
const NOT_IN_COLUMN = /[^\p{L}\p{M}\p{N}\p{Pc}\p{Pd} &%=+:'<>#|]/gu;
const NOT_IN_TABLE = /[^\p{L}\p{M}\p{N}\p{Pc}\p{Pd} ]/gu;

/** Names that begin so are BigQuery's own. https://cloud.google.com/bigquery/docs/schemas#column_names */
const RESERVED =
  /^(_TABLE_|_FILE_|_PARTITION|_ROW_TIMESTAMP|__ROOT__|_COLIDENTIFIER|_CHANGE_SEQUENCE_NUMBER|_CHANGE_TYPE|_CHANGE_TIMESTAMP)/i;

const MAX_COLUMN_LENGTH = 300;

/** A column's name as BigQuery can have it: what it does not take becomes the character's number. */
export function columnName(name: string): string {
  const spelled = name.replace(NOT_IN_COLUMN, numbered);
  return (RESERVED.test(spelled) ? `x${spelled}` : spelled).slice(0, MAX_COLUMN_LENGTH);
}

/** The same for a table's name. */
export function tableName(name: string): string {
  return name.replace(NOT_IN_TABLE, numbered);
}

function numbered(character: string): string {
  return `_x${character.codePointAt(0)!.toString(16)}_`;
}

/** A column in a statement, whatever its name. */
export function quote(column: string): string {
  return `\`${columnName(column)}\``;
}

/** A table in a statement. */
export function inPlace({ project, dataset }: Place, table: string): string {
  return [project, dataset, tableName(table)].map((part) => `\`${part}\``).join('.');
}

export function literal(text: string): string {
  const escaped = text.replace(/[\\'\n\r]/g, (character) => ESCAPES[character]!);
  return `'${escaped}'`;
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', "'": "\\'", '\n': '\\n', '\r': '\\r' };

export function list(columns: readonly string[]): string {
  return columns.map(quote).join(', ');
}

/** A text as a label's value: lower-case letters, digits, `_` and `-`, at most 63. */
export function labelValue(text: string): string {
  return text
    .toLowerCase()
    .replace(/[^a-z0-9_-]/g, '_')
    .slice(0, 63);
}

/** What a stream's tables are called. */
export interface TableNames {
  readonly table: string;
  /** Where the rows of a first load are, until the stream has been read to its end once. */
  readonly loading: string;
  /** The keys that an open full refresh has brought. */
  readonly seen: string;
}

export function tableNames(stream: Pick<Stream, 'name'>): TableNames {
  return {
    table: tableName(stream.name),
    loading: tableName(`_cleargrid_loading_${stream.name}`),
    seen: tableName(`_cleargrid_seen_${stream.name}`),
  };
}

/** The table that one batch is loaded into. */
export function stagingName(stream: Pick<Stream, 'name'>, batch: string): string {
  return tableName(`_cleargrid_staging_${stream.name}_${batch}`);
}

export const POSITIONS = '_cleargrid_positions';
export const LEASES = '_cleargrid_leases';
export const RUNS = '_cleargrid_runs';
export const REJECTS = '_cleargrid_rejects';
export const LEDGER = '_cleargrid_pushes';
