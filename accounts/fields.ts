import countries from 'i18n-iso-countries/index.js';
import { z } from 'zod';
import { parseBusinessDate } from '../schemas/dates.ts';
import { parseDecimal, plainText } from '../schemas/decimal.ts';
import { isBrokenText } from '../schemas/values.ts';
import { LOAN_TYPES, STATUS } from './assumptions.ts';

/**
 * The kinds of fields that an account has. Each takes what people and warehouses write for it and gives what is sent. A reason
 * never holds the value: it is personal.
 */

/** Whatever is there. */
type Given = NonNullable<unknown>;

/** What is wrong with a value, in words that follow the field's name. */
export class Wrong {
  readonly reason: string;
  constructor(reason: string) {
    this.reason = reason;
  }
}

const wrong = (reason: string) => new Wrong(reason);

/** What is made of a field's value, or of its absence. */
export type Judge = (value: unknown) => unknown | Wrong;

const JUDGES = new WeakMap<z.ZodType, Judge>();

/** How the schema of a field judges; null for one that is no field. */
export const judgeOf = (schema: z.ZodType): Judge | null => JUDGES.get(schema) ?? null;

/**
 * A field whose value `read` makes of what was given. Null is absent; so is an empty text where `emptyIsAbsent`. One check that puts
 * its result in the value's place, and no transformation: that takes a third of the time.
 */
function field<T>(
  read: (value: Given) => T | Wrong,
  { required = false, emptyIsAbsent = false } = {},
): z.ZodType<T | undefined> {
  const judge = (value: unknown) => {
    if (value !== undefined && value !== null && !(emptyIsAbsent && value === '')) return read(value);
    return required ? wrong('is required') : undefined;
  };
  const checked = z.unknown().check((payload) => {
    const made = judge(payload.value);
    if (made instanceof Wrong) payload.issues.push({ code: 'custom', message: made.reason, input: undefined });
    else payload.value = made;
  });
  const schema = (required ? checked : checked.optional()) as z.ZodType<T | undefined>;
  JUDGES.set(schema, judge);
  return schema;
}

const LONGEST_TEXT = 10_000;

/** Text; a number is its text, with the digits it came with. */
function readText(value: Given): string | Wrong {
  if (typeof value === 'string') {
    if (value.length > LONGEST_TEXT) return wrong(`is longer than ${LONGEST_TEXT} characters`);
    return value.isWellFormed() ? value : wrong('holds half a character (a lone surrogate)');
  }
  const number = numberText(value);
  if (number !== null) return number;
  if (typeof value === 'object' && isBrokenText(value)) return wrong('is not UTF-8');
  return wrong('must be text');
}

/** A JSON number with the digits it came with, or null. */
function numberText(value: Given): string | null {
  if (typeof value === 'number' || typeof value === 'bigint') return String(value);
  return typeof value === 'object' && JSON.isRawJSON(value) ? value.rawJSON : null;
}

function textOr<T>(value: Given, read: (text: string) => T | Wrong): T | Wrong {
  const text = readText(value);
  return text instanceof Wrong ? text : read(text);
}

export const text = field(readText);

/** What the account is known by: it must be there, and be the same wherever it is written. */
export const id = field(
  (value) =>
    textOr(value, (name) => {
      if (name === '') return wrong('is required');
      if (name.trim() !== name) return wrong('begins or ends with a space');
      return name.length > 256 ? wrong('is longer than 256 characters') : name;
    }),
  { required: true },
);

const STATUSES: Readonly<Record<string, 1 | 2 | 3>> = { ...STATUS, '1': 1, '2': 2, '3': 3 };

export const status = field(
  (value) =>
    textOr(value, (name) =>
      Object.hasOwn(STATUSES, name) ? STATUSES[name]! : wrong('must be 1 (create), 2 (update) or 3 (withdraw)'),
    ),
  { required: true, emptyIsAbsent: true },
);

const CODES = LOAN_TYPES.map((label, at) => `${at + 1} ${label}`).join(', ');

export const loanType = field(
  (value) =>
    textOr(value, (code) =>
      /^\d$/.test(code) && LOAN_TYPES[Number(code) - 1] !== undefined
        ? Number(code)
        : wrong(`must be one of the codes ${CODES}`),
    ),
  { emptyIsAbsent: true },
);

export const language = field((value) => (value === 'en' || value === 'ar' ? value : wrong('must be en or ar')), {
  emptyIsAbsent: true,
});

const CALENDAR = { minYear: 1900, maxYear: 2200 };

/** dd/MM/yyyy. The published example has an empty text where there is no date. */
export const date = field(
  (value) =>
    textOr(value, (day) => {
      if (parseBusinessDate(day, CALENDAR) !== null) return day;
      if (/^\d\d\/\d\d\/\d{4}$/.test(day)) return wrong('is no day of the calendar (day comes first: dd/MM/yyyy)');
      return wrong('must be written dd/MM/yyyy');
    }),
  { emptyIsAbsent: true },
);

const LONGEST_AMOUNT = 38;

/** Major units as decimal text. A number is sent as text with the digits it came with, and never becomes a float. */
export const amount = field((value) => {
  const number = numberText(value);
  const given = number === null ? value : plainNumber(number);
  return textOr(given, (text) => {
    if (/^-/.test(text)) return wrong('must not be negative');
    if (!/^\d+(\.\d+)?$/.test(text)) return wrong('must be a number such as 1234.50, without separators or currency');
    return text.length > LONGEST_AMOUNT ? wrong(`has more than ${LONGEST_AMOUNT} digits`) : text;
  });
});

/** Without an exponent, where it has one. */
function plainNumber(text: string): string {
  if (!/[eE]/.test(text)) return text;
  const decimal = parseDecimal(text);
  return decimal === null || Math.abs(decimal.exponent) > LONGEST_AMOUNT ? text : plainText(decimal);
}

/** E.164: https://www.itu.int/rec/T-REC-E.164 */
export const phoneNumber = field(
  (value) =>
    textOr(value, (number) =>
      /^\+[1-9]\d{6,14}$/.test(number)
        ? number
        : wrong('must be an E.164 number: + and 7 to 15 digits, the country code first, without spaces'),
    ),
  { required: true },
);

export const emailAddress = field(
  (value) =>
    textOr(value, (address) =>
      /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(address) ? address : wrong('must be an email address'),
    ),
  { required: true },
);

/** What is written for these countries and is no code of ISO 3166. */
const COMMON: Readonly<Record<string, string>> = { UAE: 'ARE', KSA: 'SAU', UK: 'GBR', USA: 'USA' };

export const country = field(
  (value) =>
    textOr(value, (code) => {
      if (countries.alpha3ToAlpha2(code) !== undefined) return code;
      const upper = code.toUpperCase();
      const meant = COMMON[upper] ?? (countries.isValid(upper) ? countries.toAlpha3(upper) : undefined);
      return wrong(`must be an ISO 3166 alpha-3 country code${meant === undefined ? ', such as ARE' : `: ${meant}`}`);
    }),
  { emptyIsAbsent: true },
);

const DEEPEST = 50;

/** Any JSON object, as it is. */
export const freeForm = field((value) => {
  if (!isPlainObject(value)) return wrong('must be an object');
  return problemInside(value, 0) ?? (value as Readonly<Record<string, unknown>>);
});

function isPlainObject(value: Given): boolean {
  return typeof value === 'object' && !Array.isArray(value) && !JSON.isRawJSON(value) && !isBrokenText(value);
}

function problemInside(value: unknown, depth: number): Wrong | null {
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return null;
  if (isBrokenText(value)) return wrong('holds text that is not UTF-8');
  if (depth === DEEPEST) return wrong(`is nested deeper than ${DEEPEST} levels`);
  for (const inner of Object.values(value)) {
    const problem = problemInside(inner, depth + 1);
    if (problem !== null) return problem;
  }
  return null;
}
