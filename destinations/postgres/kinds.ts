import { type Decimal, fractionDigits, integerDigits, parseDecimal } from '../../schemas/decimal.ts';
import type { Kinds } from '../../schemas/kinds.ts';
import { parsedName, type Stream } from '../../schemas/stream.ts';

/** A jsonb string, list or object takes at most this many bytes; text takes more. A row takes 1 GB, and a page brings 64 MB. */
const MAX_JSONB_BYTES = 2 ** 28 - 1;

/** The server's JSON parser is recursive, and its stack at its smallest allowed size (100 kB) takes some hundred levels. */
const MAX_JSON_DEPTH = 500;

/** Digits before and behind the point: https://www.postgresql.org/docs/current/datatype-numeric.html */
const NUMERIC = { integerDigits: 131_072, fractionDigits: 16_383 } as const;

export const postgresKinds: Kinds = {
  text: { type: 'text', maxBytes: MAX_JSONB_BYTES },
  integer: { type: 'bigint', min: -(2n ** 63n), max: 2n ** 63n - 1n },
  decimal: { type: 'numeric', ...NUMERIC },
  minorUnits: { type: 'numeric', ...NUMERIC },
  double: { type: 'double precision' },
  boolean: { type: 'boolean' },
  timestamp: { type: 'timestamptz', minYear: 1, maxYear: 9999 },
  businessDate: { type: 'text', minYear: 1, maxYear: 9999 },
  json: { type: 'jsonb', holdsNumber: fitsNumeric, maxDepth: MAX_JSON_DEPTH, maxBytes: MAX_JSONB_BYTES },
};

/** jsonb keeps numbers as numeric does: exactly, as long as they are within its range. */
function fitsNumeric(text: string): boolean {
  if (text.length < 300 && !/[eE]/.test(text)) return true;
  const number: Decimal | null = parseDecimal(text);
  if (number === null) return false;
  return integerDigits(number) <= NUMERIC.integerDigits && fractionDigits(number) <= NUMERIC.fractionDigits;
}

/** The types that our columns have, as DDL spells them; `format_type` spells one of them otherwise. */
export type NativeType =
  | 'text'
  | 'bigint'
  | 'numeric'
  | 'double precision'
  | 'boolean'
  | 'timestamptz'
  | 'date'
  | 'jsonb';

export interface NativeColumn {
  readonly name: string;
  readonly type: NativeType;
  /** The column's comment, or null. */
  readonly description: string | null;
}

const BOOKKEEPING: readonly NativeColumn[] = [
  { name: '_extra', type: 'jsonb', description: 'What no column holds: a JSON object of field to value.' },
  { name: '_changes', type: 'jsonb', description: 'What did not fit its column: a list of field, change, reason.' },
  {
    name: '_synced_at',
    type: 'timestamptz',
    description: 'When the page that brought this version of the row was asked for.',
  },
  {
    name: '_deleted_at',
    type: 'timestamptz',
    description: 'When a full refresh found that the API returns this row no more.',
  },
];

/** All columns of a stream's table, in the order of `tableColumns`. */
export function nativeColumns(stream: Stream): NativeColumn[] {
  const own = stream.columns.flatMap(({ name, kind, description }): NativeColumn[] => {
    const column = { name, type: postgresKinds[kind].type as NativeType, description };
    if (kind !== 'businessDate') return [column];
    return [
      column,
      { name: parsedName(name), type: 'date', description: `The date in ${name}; null where it is none.` },
    ];
  });
  return [...own, ...BOOKKEEPING];
}

/** What batches bring: all columns but `_deleted_at`, in the order of a row's values. */
export function loadedColumns(stream: Stream): NativeColumn[] {
  return nativeColumns(stream).filter(({ name }) => name !== '_deleted_at');
}

/** Other types that hold whatever ours holds, and compare alike: a column that a person has widened so is left as it is. */
const WIDER: Readonly<Partial<Record<NativeType, readonly string[]>>> = {
  text: ['character varying'],
  bigint: ['numeric'],
};

/** @param found the type's name as `format_type` tells it. */
export function holds(found: string, type: NativeType): boolean {
  const reported = type === 'timestamptz' ? 'timestamp with time zone' : type;
  return found === reported || (WIDER[type]?.includes(found) ?? false);
}
