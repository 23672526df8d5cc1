import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeJson } from '../schemas/decode.ts';
import type { ColumnKind } from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import type { Change, Mapping } from '../schemas/row.ts';
import { tableColumns } from '../schemas/stream.ts';
import { anyText, jsonText, numberText, objectText } from './fixtures/arbitrary-json.ts';
import { DIFFICULT_STREAM, REFERENCE_KINDS } from './fixtures/difficult-values.ts';

const mapper = compileMapper(DIFFICULT_STREAM, REFERENCE_KINDS);
const names = tableColumns(DIFFICULT_STREAM);
const decode = (json: string) => decodeJson(Buffer.from(json));
const mapOne = (record: string) => mapper.map([decode(record)], '2026-06-01T12:00:00.000000Z');

const two = (max: number) => fc.integer({ min: 0, max }).map((value) => String(value).padStart(2, '0'));
const nearlyValid = fc.oneof(
  fc.tuple(two(32), two(13), fc.constantFrom('2024', '2026', '0000')).map((parts) => parts.join('/')),
  fc.tuple(two(13), two(32), two(24)).map(([month, day, hour]) => `2026-${month}-${day}T${hour}:00:00.123Z`),
  fc.tuple(two(12), two(14)).map(([month, hours]) => `2026-${month}-01T00:00:00+${hours}:00`),
  numberText,
);

const value = fc.oneof(
  { weight: 4, arbitrary: jsonText() },
  { weight: 3, arbitrary: nearlyValid.map((text) => JSON.stringify(text)) },
  { weight: 2, arbitrary: numberText },
);

/** Mostly declared fields, some of ours, some that nobody has heard of. */
const field = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...DIFFICULT_STREAM.columns.map((column) => column.field)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('__proto__', 'constructor', 'has_tree', 'day_parsed', '_extra', 'a\0', 'a\\u0000'),
  },
  { weight: 2, arbitrary: anyText },
);

const usableKey = fc.string({ minLength: 1, maxLength: 20 }).map((key) => `"public_id":${JSON.stringify(key)}`);
const record = fc.oneof(
  { weight: 1, arbitrary: objectText(field, value) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        usableKey,
        objectText(
          field.filter((name) => name !== 'public_id'),
          value,
        ),
      )
      .map(([key, rest]) => (rest === '{}' ? `{${key}}` : `{${key},${rest.slice(1)}`)),
  },
);

/** Whether a JSON text says what was sent: as it is, or as a string of its JSON text. */
function says(kept: unknown, sent: unknown): boolean {
  const json = JSON.stringify(sent);
  return JSON.stringify(kept) === json || kept === json;
}

/** Whether a column's value says what was sent without a loss, by a measure that is not the mapper's. */
function holds(kind: ColumnKind, column: unknown, sent: unknown): boolean {
  const text = typeof sent === 'string' ? sent : JSON.stringify(sent);
  switch (kind) {
    case 'json':
      return column === JSON.stringify(sent);
    case 'timestamp':
      // To the millisecond; the digits behind it are compared in the test of timestamps.
      return Date.parse(String(column)) === Date.parse(text);
    case 'boolean':
      return column === sent;
    case 'text':
    case 'businessDate':
      return column === text;
    case 'double':
      return column === Number(text);
    default:
      return isSameNumber(String(column), text);
  }
}

/** Compares decimal numbers of any length as whole numbers of their smallest digit. */
function isSameNumber(a: string, b: string): boolean {
  const parts = [a, b].map((text) => {
    const [mantissa, power = '0'] = text.toLowerCase().split('e');
    const [whole, fraction = ''] = mantissa!.split('.');
    return {
      digits: BigInt(whole!.replace('-', '') + fraction),
      scale: Number(power) - fraction.length,
      negative: text[0] === '-',
    };
  });
  const [one, other] = parts as [(typeof parts)[0], (typeof parts)[0]];
  if (one.digits === 0n || other.digits === 0n) return one.digits === other.digits;
  const least = Math.min(one.scale, other.scale);
  const scaled = (part: typeof one) => part.digits * 10n ** BigInt(part.scale - least) * (part.negative ? -1n : 1n);
  return scaled(one) === scaled(other);
}

/** The fields of a record that can be found nowhere in what became of it. */
function lostFields(sent: Readonly<Record<string, unknown>>, { rows, rejects }: Mapping): string[] {
  if (rejects.length > 0) return says(decode(rejects[0]!.record), sent) ? [] : ['the whole record'];
  const row = new Map(rows[0]!.map((column, at) => [names[at]!, column]));
  const extra = decode(String(row.get('_extra') ?? '{}')) as Record<string, unknown>;
  const changes = JSON.parse(String(row.get('_changes') ?? '[]')) as Change[];
  return Object.keys(sent).filter((name) => {
    const column = DIFFICULT_STREAM.columns.find((candidate) => candidate.field === name);
    if (column === undefined) return !isInExtra(name, sent[name], extra);
    if (changes.some((change) => change.field === column.name)) return !says(extra[name], sent[name]);
    const kept = row.get(column.name);
    return sent[name] === null ? kept !== null : !holds(column.kind, kept, sent[name]);
  });
}

function isInExtra(name: string, sent: unknown, extra: Record<string, unknown>): boolean {
  const escaped = JSON.stringify(name).slice(1, -1);
  return [name, escaped, `${escaped}*`, `${escaped}**`].some(
    (key) => Object.hasOwn(extra, key) && says(extra[key], sent),
  );
}

describe('For any record', () => {
  it('everything in it is found again in its row, in _extra or in a reject', () => {
    fc.assert(
      fc.property(record, (json) => {
        const mapping = mapOne(json);
        expect(mapping.rows.length + mapping.rejects.length).toBe(1);
        expect(lostFields(decode(json) as Record<string, unknown>, mapping)).toEqual([]);
      }),
      { numRuns: 10_000 },
    );
  });

  it('no text of the row holds what databases do not keep', () => {
    fc.assert(
      fc.property(record, (json) => {
        const { rows, rejects } = mapOne(json);
        const texts = [...rows.flat(), ...rejects.flatMap(Object.values)].filter((kept) => typeof kept === 'string');
        expect(texts.filter((text) => text.includes('\0') || !text.isWellFormed())).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });

  it('what is JSON in the row holds no escape of what databases do not keep', () => {
    fc.assert(
      fc.property(record, (json) => {
        const { rows } = mapOne(json);
        const inJson = [names.indexOf('tree'), names.indexOf('_extra')].map((at) => rows[0]?.[at] ?? 'null');
        const visit = (kept: unknown): boolean =>
          typeof kept === 'string'
            ? kept.isWellFormed() && !kept.includes('\0')
            : typeof kept !== 'object' || kept === null || Object.entries(kept).flat().every(visit);
        expect(inJson.every((text) => visit(JSON.parse(String(text))))).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });

  it('the row has a value for every column', () => {
    fc.assert(
      fc.property(record, (json) => {
        for (const row of mapOne(json).rows) {
          expect(row.length).toBe(names.length - 1);
          expect(row).not.toContain(undefined);
        }
      }),
    );
  });

  it('changes are counted, and each has its original in _extra', () => {
    fc.assert(
      fc.property(record, (json) => {
        const { rows, changedFields } = mapOne(json);
        const [extra, changes] = [names.indexOf('_extra'), names.indexOf('_changes')].map(
          (at) => rows[0]?.[at] ?? null,
        );
        const noted = JSON.parse(String(changes ?? '[]')) as Change[];
        expect(noted.length).toBe(changedFields);
        const originals = Object.keys(JSON.parse(String(extra ?? '{}')));
        for (const { field: name } of noted) {
          expect(originals).toContain(DIFFICULT_STREAM.columns.find((column) => column.name === name)?.field);
        }
      }),
    );
  });

  it('two mappings are equal, and the record is left as it was', () => {
    fc.assert(
      fc.property(record, (json) => {
        const decoded = decode(json);
        const before = JSON.stringify(decoded);
        const [first, second] = [decoded, decode(json)].map((each) => mapper.map([each], 'now'));
        expect(second).toEqual(first);
        expect(JSON.stringify(decoded)).toBe(before);
      }),
    );
  });
});

describe('For any JSON value whatever in the place of a record', () => {
  it('the mapper does not throw, and keeps it', () => {
    fc.assert(
      fc.property(jsonText(), (json) => {
        const { rows, rejects } = mapOne(json);
        expect(rows).toEqual([]);
        expect(says(decode(rejects[0]!.record), decode(json))).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
