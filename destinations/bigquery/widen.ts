import type { RowValues, Value } from '../../schemas/row.ts';
import type { Widening } from '../widening.ts';
import type { TableInfo } from './catalog.ts';
import { type Deflated, deflate, gzipMember } from './gzip.ts';
import { type NativeColumn, nativeColumns, type SchemaField } from './kinds.ts';
import { columnName, inPlace, stagingName, tableNames } from './names.ts';
import { rowWriter, schemaField } from './ndjson.ts';
import type { ResultRow } from './results.ts';
import type { UpgradeOptions } from './upgrade.ts';
import { selectUnfilled, updateFilled } from './widening-sql.ts';

/**
 * A column that is new says so until it is filled: a table cannot be altered in a transaction, and so a run that was killed between the
 * two leaves the column to be filled by the next.
 */
const BEING_FILLED = ' (being filled from _extra)';

export function isBeingFilled({ description = '' }: SchemaField): boolean {
  return description.endsWith(BEING_FILLED);
}

/** What is loaded at once: bytes, compressed. */
const MOST_BYTES = 16_000_000;
const SLICE_ROWS = 1_000;
const STAGING_HOURS = 24;

/** Adds the new columns and fills them from `_extra`, in one transaction for all rows. */
export async function widen(options: UpgradeOptions, info: TableInfo, widening: Widening): Promise<void> {
  const { session, stream, costs } = options;
  const { table } = tableNames(stream);
  const columns = nativeColumns(stream);
  const named = (names: readonly string[]) => columns.filter(({ name }) => names.includes(name));
  const added = named(widening.names);
  const known = new Set(info.fields.map(({ name }) => name.toLowerCase()));
  const fields = [
    ...info.fields,
    ...added.filter(({ name }) => !known.has(columnName(name).toLowerCase())).map(beingFilled),
  ];
  if (fields.length > info.fields.length) await session.catalog.changeSchema(table, fields, info.etag);

  await fill(options, widening, [...named(stream.primaryKey), ...added, ...named(['_extra', '_changes'])]);

  const filled = await session.catalog.table(table);
  if (filled === null) return;
  await session.catalog.changeSchema(
    table,
    filled.fields.map((field) => described(field, added)),
    filled.etag,
  );
  costs.modifications++;
}

async function fill(
  { session, stream, costs }: UpgradeOptions,
  widening: Widening,
  columns: NativeColumn[],
): Promise<void> {
  const options = { what: `fill new columns of ${stream.name}`, stream: stream.name, costs };
  const staging = stagingName(stream, 'filled');
  const [table, staged] = [tableNames(stream).table, staging].map((name) => inPlace(session.place, name));
  const schema = columns.map(schemaField);
  const write = rowWriter(columns);
  const texts = widening.columns.map(({ name }) => name).filter((name) => !widening.names.includes(name));

  await session.catalog.deleteTable(staging);
  await session.catalog.createTemporary(staging, schema, STAGING_HOURS);
  let parts: Deflated[] = [];
  let lines = 0;
  let slice = '';
  let total = 0;
  const load = async () => {
    if (lines === 0) return;
    if (slice !== '') parts.push(deflate(Buffer.from(slice)));
    await session.load({ table: staging, schema, chunks: gzipMember(parts), lines, replaces: false }, options);
    total += lines;
    [parts, lines, slice] = [[], 0, ''];
  };
  for await (const row of session.stream({ sql: selectUnfilled(stream, table!, widening, texts) }, options)) {
    slice += `${write(filledRow(row)).slice(0, -1)}}\n`;
    if (++lines % SLICE_ROWS === 0) {
      parts.push(deflate(Buffer.from(slice)));
      slice = '';
      if (parts.reduce((sum, { bytes }) => sum + bytes.length, 0) >= MOST_BYTES) await load();
    }
  }
  await load();
  if (total > 0) await session.run({ sql: updateFilled(stream, table!, staged!, columns) }, options);
  await session.catalog.deleteTable(staging);

  function filledRow(row: ResultRow): RowValues {
    const kept = texts.flatMap((name, at): [string, string][] => {
      const text = row[`text_${at}`];
      return typeof text === 'string' ? [[name, text]] : [];
    });
    const { values, extra, changes } = widening.fill({
      extra: row.extra as string | null,
      changes: row.changes as string | null,
      texts: new Map(kept),
    });
    const key = stream.primaryKey.map((_, at) => row[`key_${at}`] as Value);
    return [...key, ...values, extra, changes];
  }
}

function beingFilled(column: NativeColumn): SchemaField {
  return { ...schemaField(column), description: `${column.description ?? ''}${BEING_FILLED}` };
}

function described(field: SchemaField, added: readonly NativeColumn[]): SchemaField {
  const column = added.find(({ name }) => columnName(name).toLowerCase() === field.name.toLowerCase());
  return column === undefined ? field : { ...field, description: column.description ?? '' };
}
