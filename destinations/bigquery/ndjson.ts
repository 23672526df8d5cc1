import type { Mapping, Value } from '../../schemas/row.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Page, Prepared } from '../contract.ts';
import { type Deflated, deflate } from './gzip.ts';
import { type NativeColumn, type NativeType, nativeColumns, type SchemaField } from './kinds.ts';
import { columnName, quote } from './names.ts';
import { bytesReader } from './page-bytes.ts';
import { partitionColumn } from './partitions.ts';

/** A page as one part of a load: newline-delimited JSON, compressed. */
export interface LoadPage extends Prepared {
  readonly part: Deflated;
  /** Lines of the load: rows and rejects. */
  readonly lines: number;
  readonly rows: number;
  readonly rejects: number;
  /** The days (`YYYY-MM-DD`) of the rows' partition column. */
  readonly days: ReadonlySet<string>;
  /** Whether a row has no value there; true as well where the table has no partitions. */
  readonly hasUndated: boolean;
  readonly changedFields: number;
  readonly unparsedDates: number;
}

/** What a load brings beside the columns of the stream. */
export const STAGED = {
  /** In which order rows came: of equal versions the first is kept. */
  row: '_cleargrid_row',
  rejectId: '_cleargrid_reject_id',
  rejectRecord: '_cleargrid_reject_record',
  rejectReason: '_cleargrid_reject_reason',
  rejectSeenAt: '_cleargrid_reject_seen_at',
} as const;

const STAGED_COLUMNS: readonly NativeColumn[] = [
  { name: STAGED.row, type: 'INT64', description: null },
  { name: STAGED.rejectId, type: 'STRING', description: null },
  { name: STAGED.rejectRecord, type: 'JSON', description: null },
  { name: STAGED.rejectReason, type: 'STRING', description: null },
  { name: STAGED.rejectSeenAt, type: 'TIMESTAMP', description: null },
];

/**
 * Whether a column's JSON may be a text, and so comes in a list of one: BigQuery's documentation does not say whether a text that is
 * loaded into a JSON column is that text or JSON to be read.
 */
function isWrapped({ name, type }: Pick<NativeColumn, 'name' | 'type'>): boolean {
  return type === 'JSON' && name !== '_extra' && name !== '_changes';
}

/** A loaded column's value, in a statement. */
export function loadedValue(alias: string, column: Pick<NativeColumn, 'name' | 'type'>): string {
  const value = `${alias}.${quote(column.name)}`;
  return isWrapped(column) ? `json_query(${value}, '$[0]')` : value;
}

/** Of a loaded table, all columns with their values; for `select`. */
export function loadedValues(alias: string, stream: Stream): string {
  const wrapped = nativeColumns(stream).filter(isWrapped);
  if (wrapped.length === 0) return `${alias}.*`;
  const values = wrapped.map((column) => `${loadedValue(alias, column)} as ${quote(column.name)}`);
  return `${alias}.* replace (${values.join(', ')})`;
}

/** The schema of the tables that are loaded into. */
export function loadSchema(stream: Stream): SchemaField[] {
  const loaded = nativeColumns(stream).filter(({ name }) => name !== '_deleted_at');
  return [...loaded, ...STAGED_COLUMNS].map(schemaField);
}

export function schemaField({ name, type }: Pick<NativeColumn, 'name' | 'type'>): SchemaField {
  return { name: columnName(name), type, mode: 'NULLABLE' };
}

/** What a page in memory holds beside its bytes. */
const PAGE_OVERHEAD_BYTES = 1_000;

/** A page's lines, and what is counted on the way. */
export interface Lines
  extends Pick<LoadPage, 'rows' | 'rejects' | 'days' | 'hasUndated' | 'changedFields' | 'unparsedDates'> {
  /** To be used at once. */
  readonly text: Buffer;
}

/** Compiles what turns pages of a stream into parts of a load. @param compress for a benchmark that leaves it out. */
export function pageEncoder(stream: Stream, compress = deflate): (page: Page) => LoadPage {
  const fromBytes = bytesReader(stream);
  const fromRows = rowsReader(stream);
  let next = 0;

  return (page) => {
    const { text, ...lines } = fromBytes?.(page, next) ?? fromRows(page, next);
    next += lines.rows;
    const part = compress(text);
    const records = lines.rows + lines.rejects;
    return { ...lines, part, records, lines: records, bytes: part.bytes.byteLength + PAGE_OVERHEAD_BYTES };
  };
}

/** Any page's lines, from its rows. */
export function rowsReader(stream: Stream): (page: Page, firstRow: number) => Lines {
  const columns = nativeColumns(stream).filter(({ name }) => name !== '_deleted_at');
  const writeRow = rowWriter(columns);
  const partitionedBy = columns.findIndex(({ name }) => name === partitionColumn(stream));

  return (page, firstRow) => {
    const { rows, rejects, changedFields, unparsedDates }: Mapping = page.rows();
    const days = new Set<string>();
    let hasUndated = false;
    let text = '';
    for (const [at, row] of rows.entries()) {
      text += `${writeRow(row)}"${STAGED.row}":${firstRow + at}}\n`;
      const instant = partitionedBy === -1 ? null : (row[partitionedBy] as string | null);
      if (instant === null) hasUndated = true;
      else days.add(instant.slice(0, 10));
    }
    for (const { id, record, reason } of rejects) {
      text +=
        `{"${STAGED.rejectId}":"${id}","${STAGED.rejectRecord}":[${record}],` +
        `"${STAGED.rejectReason}":${JSON.stringify(reason)},"${STAGED.rejectSeenAt}":"${page.askedAt}"}\n`;
    }
    const counts = { rows: rows.length, rejects: rejects.length, days, hasUndated, changedFields, unparsedDates };
    return { text: Buffer.from(text), ...counts };
  };
}

type Write = (value: NonNullable<Value>) => string;

const asText: Write = (value) => JSON.stringify(value);
const quoted: Write = (value) => `"${value}"`;
const asItIs: Write = (value) => String(value);
const wrapped: Write = (value) => `[${value}]`;

/** Numbers that JSON's readers may not hold exactly are written as text, which BigQuery reads as the number it says. */
const WRITES: Readonly<Record<NativeType, Write>> = {
  STRING: asText,
  INT64: (value) => (typeof value === 'bigint' ? quoted(value) : asItIs(value)),
  NUMERIC: (value) => (typeof value === 'string' ? quoted(value) : asItIs(value)),
  FLOAT64: asItIs,
  BOOL: asItIs,
  TIMESTAMP: quoted,
  DATE: quoted,
  JSON: asItIs,
};

/** Writes an object's members up to and with the last comma; a null is left out, which says the same. */
export function rowWriter(columns: readonly NativeColumn[]): (row: readonly Value[]) => string {
  const members = columns.map((column) => ({
    prefix: `${JSON.stringify(columnName(column.name))}:`,
    write: isWrapped(column) ? wrapped : WRITES[column.type],
  }));
  return (row) => {
    let text = '{';
    for (let at = 0; at < members.length; at++) {
      const value = row[at];
      if (value === null || value === undefined) continue;
      const { prefix, write } = members[at]!;
      text += `${prefix}${write(value)},`;
    }
    return text;
  };
}
