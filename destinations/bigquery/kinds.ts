import { isSame, parseDecimal } from '../../schemas/decimal.ts';
import type { Kinds } from '../../schemas/kinds.ts';
import { parsedName, type Stream } from '../../schemas/stream.ts';

/** A cell holds 10 MB, in whichever way a megabyte is counted. https://cloud.google.com/bigquery/quotas#load_jobs */
const MAX_CELL_BYTES = 10_000_000;

/** https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#json_type */
const MAX_JSON_DEPTH = 500;

const MAX_INT64 = 2n ** 63n - 1n;
const MAX_UINT64 = 2n ** 64n - 1n;

/**
 * NUMERIC has 29 digits before the point and 9 behind it, as the other destinations' decimals; BIGNUMERIC would be billed twice the bytes
 * for digits that money does not have.
 */
export const bigqueryKinds: Kinds = {
  text: { type: 'STRING', maxBytes: MAX_CELL_BYTES },
  integer: { type: 'INT64', min: -MAX_INT64 - 1n, max: MAX_INT64 },
  decimal: { type: 'NUMERIC', integerDigits: 29, fractionDigits: 9 },
  minorUnits: { type: 'NUMERIC', integerDigits: 29, fractionDigits: 9 },
  double: { type: 'FLOAT64' },
  boolean: { type: 'BOOL' },
  timestamp: { type: 'TIMESTAMP', minYear: 1, maxYear: 9999 },
  businessDate: { type: 'STRING', minYear: 1, maxYear: 9999 },
  json: { type: 'JSON', holdsNumber: holdsNumber, maxDepth: MAX_JSON_DEPTH, maxBytes: MAX_CELL_BYTES },
};

/** BigQuery's JSON keeps whole numbers of 64 bits, signed or not, and otherwise what a double says exactly. */
function holdsNumber(text: string): boolean {
  if (/^-?\d{1,20}$/.test(text)) {
    const integer = BigInt(text);
    if (integer >= -MAX_INT64 - 1n && integer <= MAX_UINT64) return true;
  }
  const number = Number(text);
  if (!Number.isFinite(number)) return false;
  const [sent, kept] = [parseDecimal(text), parseDecimal(String(number))];
  return sent !== null && kept !== null && isSame(sent, kept);
}

export type NativeType = 'STRING' | 'INT64' | 'NUMERIC' | 'FLOAT64' | 'BOOL' | 'TIMESTAMP' | 'DATE' | 'JSON';

/** A column as BigQuery is told of it. */
export interface NativeColumn {
  readonly name: string;
  readonly type: NativeType;
  readonly description: string | null;
}

const BOOKKEEPING: readonly NativeColumn[] = [
  { name: '_extra', type: 'JSON', description: 'What no column holds: a JSON object of field to value.' },
  { name: '_changes', type: 'JSON', description: 'What did not fit its column: a JSON list of field, change, reason.' },
  {
    name: '_synced_at',
    type: 'TIMESTAMP',
    description: 'When the page that brought this version of the row was asked for.',
  },
  {
    name: '_deleted_at',
    type: 'TIMESTAMP',
    description: 'When a full refresh found that the API returns it no more.',
  },
];

/** All columns of a stream's table, in the order of `tableColumns`. */
export function nativeColumns(stream: Stream): NativeColumn[] {
  const own = stream.columns.flatMap(({ name, kind, description }): NativeColumn[] => {
    const column = { name, type: bigqueryKinds[kind].type as NativeType, description };
    if (kind !== 'businessDate') return [column];
    return [
      column,
      { name: parsedName(name), type: 'DATE', description: `The date of ${name}; null where it is none.` },
    ];
  });
  return [...own, ...BOOKKEEPING];
}

/** What the API calls some types in a table's schema. */
const SHORT_NAMES: Readonly<Record<string, string>> = { INTEGER: 'INT64', FLOAT: 'FLOAT64', BOOLEAN: 'BOOL' };

/** A field of a table's schema, as the API tells it. */
export interface SchemaField {
  readonly name: string;
  readonly type: string;
  readonly mode?: string;
  readonly description?: string;
  readonly maxLength?: string;
  readonly precision?: string;
  readonly scale?: string;
  readonly fields?: readonly SchemaField[];
}

/** Other types that hold whatever ours hold and compare alike: a column that a person has widened so is left as it is. */
const WIDER: Readonly<Partial<Record<NativeType, readonly string[]>>> = {
  INT64: ['NUMERIC', 'BIGNUMERIC'],
  NUMERIC: ['BIGNUMERIC'],
};

/** The type of a column as a person would write it. */
export function typeOf({ type, mode, maxLength, precision, scale }: SchemaField): string {
  const parameters = [maxLength ?? precision, scale].filter((parameter) => parameter !== undefined);
  const plain = `${SHORT_NAMES[type] ?? type}${parameters.length > 0 ? `(${parameters.join(', ')})` : ''}`;
  return mode === 'REPEATED' ? `ARRAY<${plain}>` : plain;
}

/** @param found as `typeOf` tells it. */
export function holds(found: string, type: NativeType): boolean {
  return found === type || (WIDER[type]?.includes(found) ?? false);
}
