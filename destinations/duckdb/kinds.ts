import type { Kinds } from '../../schemas/kinds.ts';
import { parsedName, type Stream } from '../../schemas/stream.ts';

/** DuckDB keeps text of up to 4 GB; what a page can bring is far below. */
const MAX_TEXT_BYTES = 2 ** 32 - 1;

/** JSON is kept as its text: every number keeps its digits, and depth costs nothing (tried with 1,000,000 levels). */
const MAX_JSON_DEPTH = 1_000_000;

export const duckdbKinds: Kinds = {
  text: { type: 'varchar', maxBytes: MAX_TEXT_BYTES },
  integer: { type: 'bigint', min: -(2n ** 63n), max: 2n ** 63n - 1n },
  decimal: { type: 'decimal(38,9)', integerDigits: 29, fractionDigits: 9 },
  minorUnits: { type: 'decimal(38,9)', integerDigits: 29, fractionDigits: 9 },
  double: { type: 'double' },
  boolean: { type: 'boolean' },
  timestamp: { type: 'timestamptz', minYear: 1, maxYear: 9999 },
  businessDate: { type: 'varchar', minYear: 1, maxYear: 9999 },
  json: { type: 'json', holdsNumber: () => true, maxDepth: MAX_JSON_DEPTH, maxBytes: MAX_TEXT_BYTES },
};

/** A column as DuckDB is told of it. */
export interface NativeColumn {
  readonly name: string;
  readonly type: NativeType;
  readonly description: string | null;
}

export const NATIVE_TYPES = [
  'varchar',
  'bigint',
  'decimal(38,9)',
  'double',
  'boolean',
  'timestamptz',
  'date',
  'json',
] as const;

export type NativeType = (typeof NATIVE_TYPES)[number];

const BOOKKEEPING: readonly NativeColumn[] = [
  { name: '_extra', type: 'json', description: 'What no column holds: a JSON object of field to value.' },
  { name: '_changes', type: 'json', description: 'What did not fit its column: a JSON list of field, change, reason.' },
  { name: '_synced_at', type: 'timestamptz', description: null },
  {
    name: '_deleted_at',
    type: 'timestamptz',
    description: 'When a full refresh found that the API returns it no more.',
  },
];

/** All columns of a stream's table, in the order of `tableColumns`. */
export function nativeColumns(stream: Stream): NativeColumn[] {
  const own = stream.columns.flatMap(({ name, kind, description }): NativeColumn[] => {
    const column = { name, type: duckdbKinds[kind].type as NativeType, description };
    if (kind !== 'businessDate') return [column];
    return [
      column,
      { name: parsedName(name), type: 'date', description: `The date of ${name}; null where it is none.` },
    ];
  });
  return [...own, ...BOOKKEEPING];
}

/** Other types that hold whatever ours holds, and compare alike: a column that a person has widened so is left as it is. */
const WIDER: Readonly<Partial<Record<NativeType, RegExp>>> = {
  bigint: /^(HUGEINT|DECIMAL\((38,(\d|1\d)|(19|[23]\d),0)\))$/,
  json: /^VARCHAR$/,
};

const REPORTED: Readonly<Record<NativeType, string>> = {
  varchar: 'VARCHAR',
  bigint: 'BIGINT',
  'decimal(38,9)': 'DECIMAL(38,9)',
  double: 'DOUBLE',
  boolean: 'BOOLEAN',
  timestamptz: 'TIMESTAMP WITH TIME ZONE',
  date: 'DATE',
  json: 'JSON',
};

/** @param found the type's name as DuckDB's catalog tells it. */
export function holds(found: string, type: NativeType): boolean {
  return found === REPORTED[type] || (WIDER[type]?.test(found) ?? false);
}
