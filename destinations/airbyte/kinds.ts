import { isSame, parseDecimal } from '../../schemas/decimal.ts';
import type { ColumnKind, Kinds } from '../../schemas/kinds.ts';

/**
 * Jackson, with which Airbyte's platform reads messages, refuses strings of more than 20,000,000 characters by default
 * (StreamReadConstraints); the rest of the line needs room too.
 */
const LONGEST_TEXT_BYTES = 16_000_000;

/** The readers of the protocol that we know refuse nesting at 200 and above (pydantic's); a record is nested in its message. */
const DEEPEST_JSON = 100;

/** What certified Airbyte destinations hold: 38 digits, 9 of them behind the point. */
const DECIMAL = { type: 'number', integerDigits: 29, fractionDigits: 9 };

/** What a RECORD may hold so that every Airbyte destination takes it; the type is that of the JSON schema. */
export const airbyteKinds: Kinds = {
  text: { type: 'string', maxBytes: LONGEST_TEXT_BYTES },
  integer: { type: 'integer', min: -(2n ** 63n), max: 2n ** 63n - 1n },
  decimal: DECIMAL,
  minorUnits: DECIMAL,
  double: { type: 'number' },
  boolean: { type: 'boolean' },
  timestamp: { type: 'string', minYear: 1, maxYear: 9999 },
  businessDate: { type: 'string', minYear: 1, maxYear: 9999 },
  json: { type: 'json', holdsNumber: isDouble, maxDepth: DEEPEST_JSON, maxBytes: LONGEST_TEXT_BYTES },
};

/** A double is all that readers of JSON agree on; a number that is none goes as text, with all its digits. */
function isDouble(text: string): boolean {
  const double = Number(text);
  if (!Number.isFinite(double)) return false;
  const [sent, read] = [parseDecimal(text), parseDecimal(String(double))];
  return sent !== null && read !== null && isSame(sent, read);
}

/** A JSON schema's words for one property. */
export interface PropertySchema {
  readonly type: string | readonly string[];
  readonly format?: string;
  readonly airbyte_type?: string;
  readonly additionalProperties?: true;
  readonly description?: string;
}

export const DATE_SCHEMA: PropertySchema = { type: 'string', format: 'date' };
export const OBJECT_SCHEMA: PropertySchema = { type: 'object', additionalProperties: true };

/** Exactly what a RECORD holds for each kind, null apart. */
export const KIND_SCHEMAS: { readonly [K in ColumnKind]: PropertySchema } = {
  text: { type: 'string' },
  integer: { type: 'integer' },
  decimal: { type: 'number' },
  minorUnits: { type: 'number' },
  double: { type: 'number' },
  boolean: { type: 'boolean' },
  timestamp: { type: 'string', format: 'date-time', airbyte_type: 'timestamp_with_timezone' },
  businessDate: { type: 'string' },
  json: { type: ['object', 'array', 'string', 'number', 'boolean'], additionalProperties: true },
};
