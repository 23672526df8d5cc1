import { decodeJson } from '../schemas/decode.ts';
import { writeJson } from '../schemas/json.ts';
import type { Kinds } from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import type { Change, Value } from '../schemas/row.ts';
import { type Column, parsedName, type Stream, tableColumns } from '../schemas/stream.ts';

/** What a stored row says about columns that its table did not have when it was written. */
export interface StoredParts {
  /** `_extra` and `_changes` as JSON text. */
  readonly extra: string | null;
  readonly changes: string | null;
  /** Texts of business dates whose text column was there before, by column name. */
  readonly texts: ReadonlyMap<string, string>;
}

/** The same once those columns are there: `values` in the order of `Widening.names`. */
export interface WidenedParts {
  readonly values: readonly Value[];
  readonly extra: string | null;
  readonly changes: string | null;
}

/** How a table that lacks columns of its stream is brought up to date (design rule 16). */
export interface Widening {
  /** The declared columns that are new, or lack their parsed date. */
  readonly columns: readonly Column[];
  /** The columns to add to the table. */
  readonly names: readonly string[];
  /** What the new columns hold of a row that is there already: what the mapper would have made of it. */
  fill(row: StoredParts): WidenedParts;
  /** Those of `names` for which none of the filled rows had anything. */
  empty(): string[];
}

/**
 * @param present the names of the columns that the stream's table has.
 * @returns null when it has them all.
 */
export function planWidening(stream: Stream, present: ReadonlySet<string>, kinds: Kinds): Widening | null {
  const isMissing = (name: string) => !present.has(name);
  const columns = stream.columns.filter((column) => namesOf(column).some(isMissing));
  if (columns.length === 0) return null;
  const names = columns.flatMap(namesOf).filter(isMissing);
  const part = partOf(stream, columns);
  const mapper = compileMapper(part, kinds);
  const order = tableColumns(part);
  const fields = stream.columns.map(({ field }) => field);
  const columnNames = stream.columns.map(({ name }) => name);
  const found = new Set<string>();

  function fill({ extra, changes, texts }: StoredParts): WidenedParts {
    const kept = new Map(extra === null ? [] : Object.entries(decode(extra) as object));
    const record: [string, unknown][] = [[part.primaryKey[0]!, 'any']];
    for (const { field, name } of columns) {
      if (texts.has(name)) record.push([field, texts.get(name)]);
      else if (kept.has(field)) record.push([field, kept.get(field)]);
      if (texts.has(name) || kept.has(field)) found.add(name);
      kept.delete(field);
    }
    const [row] = mapper.map([Object.fromEntries(record)], '').rows;
    const value = (name: string) => row![order.indexOf(name)] ?? null;
    const originals = decode(value('_extra') ?? '{}') as object;
    for (const [field, original] of Object.entries(originals)) kept.set(field, original);
    const noted = [changes, value('_changes')].flatMap((list) => (list === null ? [] : (decode(list) as Change[])));
    return {
      values: names.map(value),
      extra: kept.size === 0 ? null : encode(Object.fromEntries(declaredFirst([...kept], fields, ([field]) => field))),
      changes: noted.length === 0 ? null : encode(declaredFirst(noted, columnNames, ({ field }) => field)),
    };
  }

  const empty = () => columns.flatMap((column) => (found.has(column.name) ? [] : namesOf(column).filter(isMissing)));
  return { columns, names, fill, empty };
}

/** What a run tells before it does so. */
export function toldOf(stream: Stream, { names }: Widening): string {
  return `${stream.name}: adds ${names.join(', ')} to its table, filled with what _extra holds of it`;
}

/** A stream of these columns alone, under a key that none of their fields takes. */
function partOf(stream: Stream, columns: readonly Column[]): Stream {
  let key = 'key';
  while (columns.some(({ field, name }) => field === key || name === key)) key += '_';
  const keyColumn: Column = { name: key, field: key, kind: 'text', description: null, pii: false };
  return { ...stream, columns: [keyColumn, ...columns], primaryKey: [key], version: null, suspectKey: null };
}

function namesOf(column: Column): string[] {
  return column.kind === 'businessDate' ? [column.name, parsedName(column.name)] : [column.name];
}

/** In the mapper's order, so that the row is the same when it is read again: what is declared, then the rest as it came. */
function declaredFirst<T>(items: readonly T[], declared: readonly string[], nameOf: (item: T) => string): T[] {
  const place = new Map(declared.map((name, at) => [name, at]));
  const placeOf = (item: T) => place.get(nameOf(item)) ?? declared.length;
  return items.toSorted((a, b) => placeOf(a) - placeOf(b));
}

function decode(json: Value): unknown {
  return decodeJson(Buffer.from(String(json)));
}

function encode(value: unknown): string {
  return writeJson(value, { holdsNumber: () => true }).text;
}
