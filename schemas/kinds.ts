/**
 * What a column can be. A stream declares each field of its records as one of these kinds; each destination says, in one
 * record over all kinds, which native type that is and what fits into it.
 */
export type ColumnKind =
  | 'text'
  | 'integer'
  | 'decimal'
  | 'minorUnits'
  | 'double'
  | 'boolean'
  | 'timestamp'
  | 'businessDate'
  | 'json';

/**
 * What the mapper puts into a row for each kind; `null` stands for "nothing" in all of them.
 *
 * - `text`, `businessDate`: the text. A business date is followed by its parsed date, `YYYY-MM-DD`, in a column of its own.
 * - `integer`: a `number` while it is a safe integer, a `bigint` beyond.
 * - `decimal`, `minorUnits`: a `number` while it is a safe integer, else plain decimal text without exponent (`-12.5`).
 * - `timestamp`: UTC text of fixed width, `YYYY-MM-DDTHH:MM:SS.ffffffZ`, so that text order is time order.
 * - `json`: its JSON text, every number with the digits it came with.
 */
export interface KindValues {
  text: string;
  integer: number | bigint;
  decimal: number | string;
  minorUnits: number | string;
  double: number;
  boolean: boolean;
  timestamp: string;
  businessDate: string;
  json: string;
}

/** What a destination's native type holds, as far as the mapper must know it. */
export interface KindLimits {
  text: { maxBytes: number };
  integer: { min: bigint; max: bigint };
  decimal: { integerDigits: number; fractionDigits: number };
  minorUnits: { integerDigits: number; fractionDigits: number };
  double: object;
  boolean: object;
  /** First and last year; the fraction of a second always has six digits. */
  timestamp: { minYear: number; maxYear: number };
  businessDate: { minYear: number; maxYear: number };
  /** Which numbers (as JSON text) the JSON type keeps exactly, how deep values may nest, how many bytes a value may take. */
  json: { holdsNumber: (text: string) => boolean; maxDepth: number; maxBytes: number };
}

/** A destination's word for every kind: the native type's name as its DDL spells it, and its limits. */
export type Kinds = { readonly [K in ColumnKind]: { readonly type: string } & Readonly<KindLimits[K]> };

/** A field's declaration. `description` becomes the column's comment; `pii` marks what identifies a person. */
export interface FieldKind<K extends ColumnKind = ColumnKind> {
  readonly kind: K;
  readonly description: string | null;
  readonly pii: boolean;
  /** The same kind with a description, which is shown wherever the destination keeps documentation. */
  describe(description: string): FieldKind<K>;
  /** The same kind, marked as identifying a person. */
  personal(): FieldKind<K>;
}

function fieldKind<K extends ColumnKind>(kind: K, description: string | null = null, pii = false): FieldKind<K> {
  return {
    kind,
    description,
    pii,
    describe: (text) => fieldKind(kind, text, pii),
    personal: () => fieldKind(kind, description, true),
  };
}

export const text = fieldKind('text');
export const integer = fieldKind('integer');
export const decimal = fieldKind('decimal');
/** Money in the currency's minor units, exactly as sent: never a float, never divided. */
export const minorUnits = fieldKind('minorUnits');
export const double = fieldKind('double');
export const boolean = fieldKind('boolean');
/** An instant: ISO-8601 with an offset. */
export const timestamp = fieldKind('timestamp');
/** A date without time or zone, DD/MM/YYYY: kept as text, with a DATE column `<name>_parsed` beside it. */
export const businessDate = fieldKind('businessDate');
export const json = fieldKind('json');
