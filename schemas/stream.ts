import type { ColumnKind, FieldKind, KindValues } from './kinds.ts';

/** A dataset's address in the Exports API. `via` datasets may answer short and empty pages before the end. */
export interface Dataset {
  readonly section: string;
  readonly code: string;
  readonly paging: 'direct' | 'via';
}

/** One column of a stream's table, made from one field of its records. */
export interface Column {
  /** The column's name: the field's, in snake_case. */
  readonly name: string;
  /** The field's name in the API's records. */
  readonly field: string;
  readonly kind: ColumnKind;
  readonly description: string | null;
  readonly pii: boolean;
}

/** A dataset as we know it: one table's worth of columns, its key, and the field that the API pages by. */
export interface Stream {
  readonly name: string;
  readonly description: string;
  readonly dataset: Dataset;
  /** The API's cursor field (also a column's name). `since` and `until` filter on it, and pages are ordered by it. */
  readonly cursor: string;
  readonly columns: readonly Column[];
  /** Column names. Rows of one key are versions of one row. */
  readonly primaryKey: readonly string[];
  /** The column whose greater value is the newer version, or null: then the time of reading decides alone. */
  readonly version: string | null;
  /** Default look-back as an ISO-8601 duration, for streams whose rows change long after their cursor value; else null. */
  readonly lookBack: string | null;
  /** Set where the key is suspected of standing for several rows (design rule 14). Null: no check is paid for. */
  readonly suspectKey: SuspectKey | null;
}

/** Two records of one key that differ in a column of `by` are two rows, of which one is a reject; `suggest` is a key for them. */
export interface SuspectKey {
  readonly by: readonly string[];
  readonly suggest: readonly string[];
}

type Fields = Record<string, FieldKind>;

export interface StreamDeclaration<F extends Fields> {
  name: string;
  description: string;
  dataset: Dataset;
  cursor: keyof F & string;
  columns: F;
  /** Default: `['public_id']`. */
  primaryKey?: readonly (keyof F & string)[];
  /** Default: `updated_at` where it is declared, else null. */
  version?: (keyof F & string) | null;
  lookBack?: string;
  suspectKey?: { by: readonly (keyof F & string)[]; suggest: readonly (keyof F & string)[] };
}

/** `hasReachedRpcOrBeyond` becomes `has_reached_rpc_or_beyond`; a name already in snake_case stays as it is. */
export function snakeCase(field: string): string {
  return field.replace(/[A-Z]/g, (letter, at: number) => (at === 0 ? '' : '_') + letter.toLowerCase());
}

type SnakeCase<S extends string> = S extends `${infer Head}${infer Tail}`
  ? Head extends Lowercase<Head>
    ? `${Head}${SnakeCase<Tail>}`
    : `_${Lowercase<Head>}${SnakeCase<Tail>}`
  : S;

/** The columns that every table carries beside its stream's own. */
export interface Bookkeeping {
  /** What no column holds, as a JSON object of field name to value; null when there is nothing. */
  _extra: string | null;
  /** What did not fit, as a JSON list of `{ field, change, reason }`; null when everything did. */
  _changes: string | null;
  /** Server-clock instant at which the page that brought this version was asked for. */
  _synced_at: string;
}

/** The type of a declared stream's rows, by column name. */
export type RowOf<F extends Fields> = {
  [N in keyof F & string as SnakeCase<N>]: KindValues[F[N]['kind']] | null;
} & {
  [N in keyof F & string as F[N]['kind'] extends 'businessDate' ? `${SnakeCase<N>}_parsed` : never]: string | null;
} & Bookkeeping;

/** A declared stream; `Row<typeof stream>` is the type of its rows. */
export interface DeclaredStream<F extends Fields> extends Stream {
  /** Only a type: nothing is there at run time. */
  readonly fields?: F;
}

export type Row<S> = S extends DeclaredStream<infer F> ? RowOf<F> : never;

/** Columns that each table has after its stream's own, in this order. */
export const BOOKKEEPING_COLUMNS = ['_extra', '_changes', '_synced_at', '_deleted_at'] as const;

/**
 * Turns a declaration into a stream.
 *
 * @throws {Error} when the declaration contradicts itself (a column name twice, a key or cursor that is no column): a mistake
 *   of whoever declares, found when the registry is loaded.
 */
export function defineStream<const F extends Fields>(declaration: StreamDeclaration<F>): DeclaredStream<F> {
  const columns = Object.entries(declaration.columns).map(([field, { kind, description, pii }]) => ({
    name: snakeCase(field),
    field,
    kind,
    description,
    pii,
  }));
  const stream: Stream = {
    name: declaration.name,
    description: declaration.description,
    dataset: declaration.dataset,
    cursor: declaration.cursor,
    columns,
    primaryKey: (declaration.primaryKey ?? ['public_id']).map(snakeCase),
    version:
      declaration.version === undefined
        ? 'updated_at' in declaration.columns
          ? 'updated_at'
          : null
        : declaration.version,
    lookBack: declaration.lookBack ?? null,
    suspectKey: declaration.suspectKey
      ? { by: declaration.suspectKey.by.map(snakeCase), suggest: declaration.suspectKey.suggest.map(snakeCase) }
      : null,
  };
  checkDeclaration(stream);
  return stream;
}

/** The names of a stream's table columns in order: its own, each business date followed by its parsed date, then ours. */
export function tableColumns(stream: Stream): string[] {
  return [...stream.columns.flatMap(namesOf), ...BOOKKEEPING_COLUMNS];
}

/** The name of the DATE column beside a business date. */
export function parsedName(column: string): string {
  return `${column}_parsed`;
}

function namesOf(column: Column): string[] {
  return column.kind === 'businessDate' ? [column.name, parsedName(column.name)] : [column.name];
}

function checkDeclaration(stream: Stream): void {
  const names = tableColumns(stream);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice !== undefined) throw new Error(`stream ${stream.name}: column ${twice} is declared twice`);
  const known = new Map(stream.columns.map((column) => [column.name, column]));
  for (const name of [...stream.primaryKey, stream.cursor, ...(stream.version === null ? [] : [stream.version])]) {
    if (!known.has(name)) throw new Error(`stream ${stream.name}: ${name} is not one of its columns`);
  }
  if (known.get(stream.cursor)?.kind !== 'timestamp')
    throw new Error(`stream ${stream.name}: its cursor is no timestamp`);
}
