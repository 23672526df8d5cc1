import { parseBusinessDate, parseTimestamp } from './dates.ts';
import { type Decimal, fractionDigits, integerDigits, isSame, parseDecimal, plainText } from './decimal.ts';
import { fitsBytes, isStorable, storablePart, writeJson } from './json.ts';
import type { ColumnKind, Kinds } from './kinds.ts';
import type { Change, Value } from './row.ts';
import { isBrokenText } from './values.ts';

/** What a column says to a value that it cannot take as it came; the original then goes to `_extra`. */
export interface Misfit {
  /** What the column keeps of it. */
  readonly kept: Value;
  readonly change: Change['change'];
  readonly reason: Change['reason'];
}

/** Makes a column's value of a field's value (any decoded JSON value but null). */
export type Fit = (value: unknown) => Value | Misfit;

export function isMisfit(fitted: Value | Misfit): fitted is Misfit {
  return typeof fitted === 'object' && fitted !== null;
}

const WRONG_TYPE: Misfit = { kept: null, change: 'NULLED', reason: 'DESTINATION_TYPECAST_ERROR' };
const TOO_LARGE: Misfit = { kept: null, change: 'NULLED', reason: 'DESTINATION_FIELD_SIZE_LIMITATION' };
const UNSTORABLE: Misfit = { kept: null, change: 'NULLED', reason: 'DESTINATION_SERIALIZATION_ERROR' };

function truncated(kept: string, reason: Change['reason']): Misfit {
  return { kept, change: 'TRUNCATED', reason };
}

/** For each kind, what decides what a column of such a destination takes. */
const FITS: { readonly [K in ColumnKind]: (kinds: Kinds) => Fit } = {
  text: ({ text }) => fitText(text),
  integer: ({ integer }) => fitInteger(integer),
  decimal: ({ decimal }) => fitDecimal(decimal),
  minorUnits: ({ minorUnits }) => fitDecimal(minorUnits),
  double: () => fitDouble,
  boolean: () => fitBoolean,
  timestamp: ({ timestamp }) => fitTimestamp(timestamp),
  // The text beside the date: whatever it says, text it is.
  businessDate: ({ text }) => fitText(text),
  json: ({ json }) => fitJson(json),
};

/** The fit of a kind for one destination. */
export function fitFor(kind: ColumnKind, kinds: Kinds): Fit {
  return FITS[kind](kinds);
}

/** The parsed date beside a business date: of exactly the text that was sent, null where that is no day. */
export function dateBeside(value: unknown, limits: Kinds['businessDate']): string | null {
  return typeof value === 'string' ? parseBusinessDate(value, limits) : null;
}

function fitText({ maxBytes }: Kinds['text']): Fit {
  const within = (text: string): Value | Misfit => (fitsBytes(text, maxBytes) ? text : TOO_LARGE);
  const without = (text: string, reason: Change['reason']) => {
    const kept = storablePart(text);
    return fitsBytes(kept, maxBytes) ? truncated(kept, reason) : TOO_LARGE;
  };
  return (value) => {
    if (typeof value === 'string') {
      return isStorable(value) ? within(value) : without(value, 'DESTINATION_SERIALIZATION_ERROR');
    }
    if (typeof value === 'number' || typeof value === 'boolean') return within(String(value));
    if (typeof value !== 'object' || value === null) return WRONG_TYPE;
    if (JSON.isRawJSON(value)) return within(value.rawJSON);
    return isBrokenText(value) ? without(value.text, 'SOURCE_SERIALIZATION_ERROR') : WRONG_TYPE;
  };
}

function fitInteger({ min, max }: Kinds['integer']): Fit {
  const least = Number(min);
  const most = Number(max);
  // Beyond the longest bound no digit need be looked at, which an exponent could make very many of.
  const longest = Math.max(String(min).length, String(max).length);
  return (value) => {
    if (Number.isSafeInteger(value)) {
      const number = value as number;
      return number >= least && number <= most ? number : TOO_LARGE;
    }
    const number = numberOf(value);
    if (number === null || fractionDigits(number) > 0) return WRONG_TYPE;
    if (integerDigits(number) > longest) return TOO_LARGE;
    const exact = BigInt(plainText(number));
    if (exact < min || exact > max) return TOO_LARGE;
    return Number.isSafeInteger(Number(exact)) ? Number(exact) : exact;
  };
}

function fitDecimal(limits: Kinds['decimal']): Fit {
  const safe = Math.min(Number.MAX_SAFE_INTEGER, 10 ** limits.integerDigits - 1);
  return (value) => {
    if (Number.isSafeInteger(value) && Math.abs(value as number) <= safe) return value as number;
    const number = numberOf(value);
    if (number === null) return WRONG_TYPE;
    if (integerDigits(number) > limits.integerDigits || fractionDigits(number) > limits.fractionDigits)
      return TOO_LARGE;
    const plain = plainText(number);
    return number.exponent >= 0 && Number.isSafeInteger(Number(plain)) ? Number(plain) : plain;
  };
}

/** A double that, written with as many digits as came, says what came. */
function fitDouble(value: unknown): Value | Misfit {
  if (typeof value === 'number') return Number.isFinite(value) ? value : WRONG_TYPE;
  const number = numberOf(value);
  if (number === null) return WRONG_TYPE;
  const double = Number(`${number.negative ? '-' : ''}${number.digits || '0'}e${number.exponent}`);
  if (!Number.isFinite(double) || number.digits.length > 100) return TOO_LARGE;
  const back = parseDecimal(double.toPrecision(Math.max(1, number.digits.length)));
  return back !== null && isSame(back, number) ? double : TOO_LARGE;
}

/** A JSON number, or text that is exactly one, taken apart; else null. */
function numberOf(value: unknown): Decimal | null {
  if (typeof value === 'string') return parseDecimal(value);
  if (typeof value === 'number') return parseDecimal(String(value));
  return typeof value === 'object' && value !== null && JSON.isRawJSON(value) ? parseDecimal(value.rawJSON) : null;
}

function fitBoolean(value: unknown): Value | Misfit {
  return typeof value === 'boolean' ? value : WRONG_TYPE;
}

function fitTimestamp(years: Kinds['timestamp']): Fit {
  return (value) => (typeof value === 'string' ? (parseTimestamp(value, years) ?? WRONG_TYPE) : WRONG_TYPE);
}

function fitJson({ holdsNumber, maxDepth, maxBytes }: Kinds['json']): Fit {
  return (value) => {
    const written = writeJson(value, { holdsNumber });
    if (!written.storable) return UNSTORABLE;
    const { text } = written.broken ? writeJson(value, { holdsNumber, brokenAsText: true }) : written;
    if (!written.numbersHeld || written.depth > maxDepth || !fitsBytes(text, maxBytes)) return TOO_LARGE;
    return written.broken ? truncated(text, 'SOURCE_SERIALIZATION_ERROR') : text;
  };
}
