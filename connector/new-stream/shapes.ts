import { parseBusinessDate, parseTimestamp } from '../../schemas/dates.ts';
import { fractionDigits, integerDigits, parseDecimal } from '../../schemas/decimal.ts';
import { isJsonObject } from '../../schemas/values.ts';

/** What a value looks like; the words are those of the evidence. */
export type Shape =
  | 'null'
  | 'empty text'
  | 'true or false'
  | 'whole number'
  | 'number with decimals'
  | 'instant'
  | 'DD/MM/YYYY'
  | 'MM/DD/YYYY'
  | 'YYYY-MM-DD'
  | 'uuid'
  | 'hex id'
  | 'email'
  | 'phone'
  | 'number as text'
  | 'text'
  | 'object'
  | 'list';

/** What was seen of one field, without a single value of it but one of each shape, from which others are made up. */
export interface FieldEvidence {
  readonly field: string;
  /** How many values have each shape; fields that a record leaves out count as null. */
  readonly shapes: ReadonlyMap<Shape, number>;
  /** How many different values there are, null among them. */
  readonly different: number;
  /** The longest numbers: digits before and behind the point. */
  readonly digits: { readonly whole: number; readonly fraction: number };
  /** Business dates whose day cannot be a month. */
  readonly certainDays: number;
  /** One value of each shape. */
  readonly exemplars: ReadonlyMap<Shape, unknown>;
}

const YEARS = { minYear: 1, maxYear: 9999 };

const PATTERNS: readonly (readonly [Shape, RegExp])[] = [
  ['YYYY-MM-DD', /^\d{4}-\d\d-\d\d$/],
  ['uuid', /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i],
  ['hex id', /^(?=.*\d)(?=.*[a-f])[\da-f]{16,64}$/i],
  ['email', /^\S+@\S+\.\S+$/],
  ['phone', /^\+\d[\d ()-]{6,20}$/],
  ['number as text', /^-?\d+(\.\d+)?$/],
];

/** The shape of a decoded JSON value. */
export function shapeOf(value: unknown): Shape {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'boolean') return 'true or false';
  if (typeof value === 'string') return shapeOfText(value);
  const number = numberText(value);
  if (number !== null) return digitsOf(number).fraction > 0 ? 'number with decimals' : 'whole number';
  if (Array.isArray(value)) return 'list';
  return isJsonObject(value) ? 'object' : 'text';
}

/** A JSON number as text; null for any other value. */
export function numberText(value: unknown): string | null {
  if (typeof value === 'number') return String(value);
  return typeof value === 'object' && value !== null && JSON.isRawJSON(value) ? value.rawJSON : null;
}

/** Digits before and behind the point of a number as JSON writes it. */
function digitsOf(number: string): { whole: number; fraction: number } {
  const decimal = parseDecimal(number);
  // One that is longer than any column holds.
  if (decimal === null) return { whole: number.length, fraction: 0 };
  return { whole: integerDigits(decimal), fraction: fractionDigits(decimal) };
}

function shapeOfText(text: string): Shape {
  if (text === '') return 'empty text';
  if (parseTimestamp(text, YEARS) !== null) return 'instant';
  if (parseBusinessDate(text, YEARS) !== null) return 'DD/MM/YYYY';
  if (parseBusinessDate(text.replace(/^(\d\d)\/(\d\d)/, '$2/$1'), YEARS) !== null) return 'MM/DD/YYYY';
  return PATTERNS.find(([, pattern]) => pattern.test(text))?.[0] ?? 'text';
}

/** What the records hold, field by field, in the order in which fields first come. */
export function gatherEvidence(records: readonly Readonly<Record<string, unknown>>[]): FieldEvidence[] {
  const fields = new Set(records.flatMap((record) => Object.keys(record)));
  return [...fields].map((field) => {
    const shapes = new Map<Shape, number>();
    const exemplars = new Map<Shape, unknown>();
    const digits = { whole: 0, fraction: 0 };
    const different = new Set<string | undefined>();
    let certainDays = 0;
    for (const record of records) {
      const value = Object.hasOwn(record, field) ? record[field] : null;
      const shape = shapeOf(value);
      different.add(JSON.stringify(value));
      shapes.set(shape, (shapes.get(shape) ?? 0) + 1);
      if (!exemplars.has(shape)) exemplars.set(shape, value);
      const number = numberText(value);
      if (number !== null) {
        const { whole, fraction } = digitsOf(number);
        digits.whole = Math.max(digits.whole, whole);
        digits.fraction = Math.max(digits.fraction, fraction);
      }
      if (shape === 'DD/MM/YYYY' && Number(String(value).slice(0, 2)) > 12) certainDays++;
    }
    return { field, shapes, different: different.size, digits, certainDays, exemplars };
  });
}

/** How many values there are, and how many have one of these shapes; null and empty text are none. */
export function valuesOf({ shapes }: FieldEvidence, ...wanted: readonly Shape[]): number {
  return [...shapes].reduce((sum, [shape, times]) => {
    if (shape === 'null' || shape === 'empty text') return sum;
    return wanted.length === 0 || wanted.includes(shape) ? sum + times : sum;
  }, 0);
}
