import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bigqueryKinds, nativeColumns } from '../destinations/bigquery/kinds.ts';
import { rowsReader } from '../destinations/bigquery/ndjson.ts';
import { bytesReader } from '../destinations/bigquery/page-bytes.ts';
import type { Page } from '../destinations/contract.ts';
import { parseTimestamp } from '../schemas/dates.ts';
import { decodeJson } from '../schemas/decode.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { STREAMS } from '../schemas/registry.ts';
import type { Column, Stream } from '../schemas/stream.ts';
import { borrowerDeals } from '../schemas/streams/borrower_deals.ts';
import { borrowerSubAccounts } from '../schemas/streams/borrower_sub_accounts.ts';
import { communicationLogs } from '../schemas/streams/communication_logs.ts';

const streams = [borrowerSubAccounts, borrowerDeals, communicationLogs];
const askedAt = '2026-03-03T00:00:00.000000Z';

/** A page of these records, given as JSON texts. */
function pageOf(stream: Stream, records: readonly string[], frame = ['{"code":200,"body":{"rows":[', ']}}']): Page {
  const text = records.join(',');
  const bytes = Buffer.from(frame[0]! + text + frame[1]!);
  const start = Buffer.byteLength(frame[0]!);
  const mapper = compileMapper(stream, bigqueryKinds);
  return {
    bytes,
    askedAt,
    span: { start, end: start + Buffer.byteLength(text) },
    rows: () => mapper.map(decodeJson(Buffer.from(`[${text}]`)) as unknown[], askedAt),
  };
}

/** Lines in which what BigQuery reads alike is alike: no nulls, numbers as numbers, instants to the microsecond. */
function comparable(stream: Stream, lines: Buffer): Record<string, unknown>[] {
  const instants = new Set(nativeColumns(stream).flatMap(({ name, type }) => (type === 'TIMESTAMP' ? [name] : [])));
  const asRead = (name: string, value: unknown) =>
    instants.has(name) ? parseTimestamp(String(value), { minYear: 1, maxYear: 9999 }) : value;
  return lines
    .toString()
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const members = Object.entries(JSON.parse(line)).filter(([, value]) => value !== null);
      return Object.fromEntries(members.map(([name, value]) => [name, asRead(name, value)]));
    });
}

/** Both ways tell the same of a page; or the fast one tells nothing. */
function compare(stream: Stream, page: Page): boolean {
  const fast = bytesReader(stream)!(page, 7);
  if (fast === null) return false;
  const slow = rowsReader(stream)(page, 7);
  expect(comparable(stream, fast.text)).toEqual(comparable(stream, slow.text));
  expect({ ...fast, text: null }).toEqual({ ...slow, text: null });
  return true;
}

const usual: Readonly<Record<Column['kind'], fc.Arbitrary<string>>> = {
  text: fc.oneof(
    fc.constantFrom('"محمد"', '"😀 \u00a0"', '"a,b:{c}[d]"', '"null"', '""', 'null'),
    fc.string().map((text) => JSON.stringify(text)),
  ),
  integer: fc.integer().map(String),
  decimal: fc.integer().map(String),
  minorUnits: fc.oneof(fc.integer().map(String), fc.constantFrom('null', '0', '999999999999999')),
  double: fc.oneof(
    { weight: 5, arbitrary: fc.integer({ min: -1e9, max: 1e9 }).map((number) => String(number / 1e6)) },
    { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
    { weight: 1, arbitrary: fc.constant('null') },
  ),
  boolean: fc.constantFrom('true', 'false', 'null'),
  timestamp: fc.oneof(
    fc
      .date({ min: new Date('1971-01-01'), max: new Date('2999-12-31'), noInvalidDate: true })
      .map((at) => `"${at.toISOString()}"`),
    fc.constantFrom('null', '"2024-02-29T00:00:00Z"', '"2023-02-29T00:00:00Z"', '"2026-03-01T00:00:00.123456Z"'),
  ),
  businessDate: fc.constantFrom('"15/06/2026"', '"31/02/2026"', '"soon"', '""', 'null', '"29/02/2024"'),
  json: fc.json(),
};

const odd = fc.constantFrom(
  ...['1.5', '-0', '01', '1e3', '12345678901234567890', '"5"', '{}', '[]', '[{"public_id":"x"}]', '"\\n"', '"\\u0000"'],
  ...['"2026-03-01"', '"2026-03-01T00:00:00+03:00"', '"0000-01-01T00:00:00Z"', 'true', ' 1', '0.1', '1.50', '"a\tb"'],
);

const recordOf = (stream: Stream, values: (column: Column) => fc.Arbitrary<string>) =>
  fc
    .tuple(...stream.columns.map((column) => (column.name === 'public_id' ? fc.constant('"key"') : values(column))))
    .map((texts) => `{${stream.columns.map(({ field }, at) => `"${field}":${texts[at]}`).join(',')}}`);

describe('A page goes to BigQuery from its bytes as from its rows:', () => {
  test.each(streams)('$name', (stream) => {
    const fast: Page[] = [];
    const records = fc.array(
      recordOf(stream, ({ kind }) => usual[kind]),
      { minLength: 2, maxLength: 4 },
    );
    fc.assert(
      fc.property(records, (texts) => {
        const page = pageOf(stream, texts);
        if (compare(stream, page)) fast.push(page);
      }),
      { numRuns: 300 },
    );
    // Others need an escape or an exponent.
    expect(fast.length).toBeGreaterThan(5);
  });

  test('also where a value surprises', () => {
    const values = ({ kind }: Column) =>
      fc.oneof({ weight: 30, arbitrary: usual[kind] }, { weight: 1, arbitrary: odd });
    const pages = fc.array(recordOf(borrowerDeals, values), { minLength: 2, maxLength: 3 });
    const decodable = (texts: string[]) => {
      try {
        JSON.parse(`[${texts.join(',')}]`);
        return true;
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(pages, (texts) => {
        const page = pageOf(borrowerDeals, texts);
        if (decodable(texts)) compare(borrowerDeals, page);
        else expect(bytesReader(borrowerDeals)!(page, 0)).toBeNull();
      }),
      { numRuns: 500 },
    );
  });

  test('in every order of fields, and with some left out', () => {
    const texts = (names: string[]) =>
      ['a', 'b'].map(
        (key) => `{${names.map((name) => `"${name}":${name === 'public_id' ? `"${key}"` : 'null'}`).join(',')}}`,
      );
    const fields = borrowerDeals.columns.map(({ field }) => field);
    expect(compare(borrowerDeals, pageOf(borrowerDeals, texts(fields)))).toBe(true);
    expect(compare(borrowerDeals, pageOf(borrowerDeals, texts([...fields].reverse())))).toBe(true);
    expect(compare(borrowerDeals, pageOf(borrowerDeals, texts(['public_id', 'amount'])))).toBe(true);
  });

  const whole = '{"public_id":"a","total_amount":5,"created_at":"2026-03-01T00:00:00.000Z"}';
  test.each([
    ['a field that no column declares', '{"public_id":"a","other":1}'],
    ['a field twice', '{"public_id":"a","public_id":"b"}'],
    ['no key', '{"total_amount":5}'],
    ['an empty key', '{"public_id":"","total_amount":5}'],
    ['a key that is too long', `{"public_id":"${'k'.repeat(1025)}"}`],
    ['a blank', '{"public_id": "a"}'],
    ['another order', '{"total_amount":5,"public_id":"a","created_at":null}'],
    ['bytes that are no UTF-8', null],
    ['something behind it', `${whole}x`],
  ])('but not with %s', (_, record) => {
    const page = pageOf(borrowerSubAccounts, record === null ? [whole, whole] : [whole, record]);
    const bytes = Buffer.from(page.bytes);
    if (record === null) bytes[page.span!.start + 15] = 0xff;
    expect(bytesReader(borrowerSubAccounts)!({ ...page, bytes }, 0)).toBeNull();
    expect(compare(borrowerSubAccounts, pageOf(borrowerSubAccounts, [whole, whole]))).toBe(true);
  });

  test('for every stream whose columns can be judged by their look', () => {
    const without = STREAMS.filter((stream) => bytesReader(stream) === null);
    expect(without.every(({ columns }) => columns.some(({ kind }) => kind === 'json'))).toBe(true);
  });
});
