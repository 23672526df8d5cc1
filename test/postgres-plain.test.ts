import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { rowEncoder } from '../destinations/postgres/encode.ts';
import { loadedColumns, postgresKinds } from '../destinations/postgres/kinds.ts';
import { plainEncoder } from '../destinations/postgres/plain.ts';
import { decodeJson } from '../schemas/decode.ts';
import type { ColumnKind } from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { STREAMS, streamNamed } from '../schemas/registry.ts';
import type { Stream } from '../schemas/stream.ts';
import { deals } from './destination-suite/streams.ts';
import { anyText, jsonText, numberText } from './fixtures/arbitrary-json.ts';

/** What is loaded from a page's bytes is, byte for byte, what its mapped rows give; or it is not loaded from its bytes. */

const askedAt = '2026-03-01T12:34:56.789012Z';
const encoders = new Map<Stream, ReturnType<typeof plainEncoder>>();

function plain(stream: Stream, records: string) {
  const encoder = encoders.get(stream) ?? plainEncoder(stream);
  encoders.set(stream, encoder);
  const bytes = Buffer.from(`[${records}]`, 'latin1');
  const page = {
    bytes,
    askedAt,
    span: { start: 1, end: bytes.length - 1 },
    rows: () => expect.fail('rows were asked for'),
  };
  const encoded = encoder.encode(page);
  return encoded && { ...encoded, data: Buffer.from(encoded.data).toString('hex') };
}

/** The same rows, encoded from what the mapper makes of them, with the columns that the page has. */
function mapped(stream: Stream, records: string, columns: readonly string[]) {
  const mapping = compileMapper(stream, postgresKinds).map(
    decodeJson(Buffer.from(`[${records}]`, 'latin1')) as unknown[],
    askedAt,
  );
  const all = loadedColumns(stream);
  const places = columns.map((name) => all.findIndex((column) => column.name === name));
  const absent = mapping.rows.flatMap((row) => row.filter((_, at) => !places.includes(at)));
  expect(absent.every((value) => value === null)).toBe(true);
  expect(mapping).toMatchObject({ rejects: [], changedFields: 0 });
  const encode = rowEncoder(places.map((at) => all[at]!));
  return {
    records: mapping.rows.length,
    unparsedDates: mapping.unparsedDates,
    columns,
    data: encode(mapping.rows.map((row) => places.map((at) => row[at]!))).toString('hex'),
  };
}

/** Whether the page was plain. */
function checkSame(stream: Stream, records: string): boolean {
  const encoded = plain(stream, records);
  if (encoded !== null) expect(encoded).toEqual(mapped(stream, records, encoded.columns));
  return encoded !== null;
}

const latin1 = (text: string) => Buffer.from(text).toString('latin1');

describe('a page is encoded from its bytes as from its rows', () => {
  const usual = (more: object = {}) =>
    JSON.stringify({
      ...{ public_id: 'a', name: 'Ünïcode 表 😀', count: 7, ratio: 5, amount: 375000, seconds: 12.25, isOpen: true },
      ...{
        due_date: '15/06/2026',
        payload: null,
        created_at: '2026-02-01T12:15:34.123Z',
        updated_at: '2026-02-01T12:15:34.000Z',
      },
      ...more,
    });
  const asBytes = (...records: string[]) => latin1(records.join());

  test.for<[string, object]>([
    ['every kind', {}],
    [
      'nothing',
      {
        name: null,
        count: null,
        ratio: null,
        amount: null,
        seconds: null,
        isOpen: null,
        due_date: null,
        created_at: null,
      },
    ],
    ['an empty text', { name: '', due_date: '' }],
    ['zeros', { count: 0, ratio: 0, amount: 0, seconds: 0 }],
    ['numbers below zero', { count: -1, ratio: -10_000, amount: -123_456_789_012_345, seconds: -0.5 }],
    ['groups of zeros', { count: 4_294_967_296, ratio: 100_000_000, amount: 100_010_000, seconds: 1e21 }],
    ['-2^32', { count: -4_294_967_296, ratio: 999_999_999_999_999, amount: 10_000, seconds: 1e-7 }],
    ['the leap day', { due_date: '29/02/2024', created_at: '2024-02-29T23:59:59.999Z' }],
    ['the last day of a year', { due_date: '31/12/1999', created_at: '1999-12-31T23:59:59.999Z' }],
    ['the first day', { due_date: '01/01/2000', created_at: '2000-01-01T00:00:00.000Z' }],
    ['long ago', { due_date: '01/03/0001', created_at: '1720-03-01T00:00:00.000Z' }],
    ['dates that are none', { due_date: '31/02/2026' }],
    ['dates of another form', { due_date: '2026-02-28' }],
    ['a year of nought', { due_date: '01/01/0000' }],
  ])('with %s', ([, more]) => {
    expect(checkSame(deals, asBytes(usual(), usual(more), usual()))).toBe(true);
  });

  test('whose fields come in another order, and without some of them', () => {
    expect(checkSame(deals, '{"updated_at":"2026-02-01T12:15:34.000Z","due_date":"15/06/2026","public_id":"a"}')).toBe(
      true,
    );
  });

  test.for<[string, string]>([
    ['a key of nothing', usual({ public_id: '' })],
    ['no key', usual({ public_id: null })],
    ['a key that is too long', usual({ public_id: 'k'.repeat(1025) })],
    ['another order', '{"name":"x","public_id":"a"}'],
    ['a field more', usual({ more: 1 })],
    ['a fraction where none is expected', usual({ count: 1.5 })],
    ['16 digits', usual({ count: 1_234_567_890_123_456 })],
    ['an exponent', usual().replace('375000', '375e3')],
    ['zero below zero', usual().replace('375000', '-0')],
    ['a zero in front', usual().replace('375000', '0375000')],
    ['a double written otherwise', usual().replace('12.25', '12.250')],
    ['a number as text', usual({ amount: '375000' })],
    ['a text as number', usual({ name: 5 })],
    ['an escape', usual({ name: 'a"b' })],
    ['an offset', usual({ created_at: '2026-02-01T12:15:34.123+03:00' })],
    ['microseconds', usual({ created_at: '2026-02-01T12:15:34.123456Z' })],
    ['no such instant', usual({ created_at: '2026-02-31T12:15:34.123Z' })],
    ['hour 24', usual({ created_at: '2026-02-28T24:00:00.000Z' })],
    ['year 9999', usual({ created_at: '9999-12-31T23:59:59.999Z' })],
    ['JSON', usual({ payload: {} })],
    ['white space', usual().replace(',"name"', ', "name"')],
    ['a cut end', usual().slice(0, -1)],
    ['too many brackets', `${usual()}]`],
    ['no comma', `${usual()}${usual()}`],
    ['a comma at the end', `${usual()},`],
    ['a control character', usual().replace('Ünï', 'Ü\nï')],
    ['nul instead of null', usual({ name: null }).replace('null', 'nul1')],
  ])('and is not where it holds %s', ([, record]) => {
    expect(plain(deals, asBytes(usual(), record))).toBeNull();
    expect(plain(deals, asBytes(record, usual()))).toBeNull();
  });

  test('and is not where a byte is no UTF-8', () => {
    expect(plain(deals, usual({ name: 'a\xffb' }))).toBeNull();
  });

  test('for each stream of a simulated API, and most streams are plain throughout', async () => {
    const { startSimulator } = await import('../simulator/simulator.ts');
    const simulator = await startSimulator({ rows: 300 });
    const { DATASETS } = await import('../simulator/datasets.ts');
    const simulated = new Set(DATASETS.filter(({ available }) => available).map(({ code }) => code));
    let plainStreams = 0;
    for (const stream of STREAMS.filter(({ dataset }) => simulated.has(dataset.code))) {
      const records = [...simulator.truth(stream.dataset.code)].map(({ text }) => latin1(text));
      for (const record of records) checkSame(stream, record);
      if (checkSame(stream, records.join())) plainStreams++;
    }
    await simulator.stop();
    expect(plainStreams).toBeGreaterThan(12);
  });

  test('whatever its values are', () => {
    const instant = fc.date({ min: new Date('1700-01-01'), max: new Date('2300-01-01'), noInvalidDate: true });
    const twoDigits = fc.integer({ min: 0, max: 40 }).map((number) => String(number).padStart(2, '0'));
    const text = fc.oneof({ weight: 1, arbitrary: anyText }, { weight: 9, arbitrary: fc.string({ unit: 'grapheme' }) });
    const whole = fc.oneof(fc.integer(), fc.integer({ min: -(10 ** 15), max: 10 ** 15 })).map(String);
    const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true })).map(String);
    const date = fc
      .tuple(twoDigits, twoDigits, fc.nat(9999))
      .map(([day, month, year]) => `"${day}/${month}/${String(year).padStart(4, '0')}"`);
    /** For each kind what its columns nearly always hold. */
    const usually: Readonly<Record<ColumnKind, fc.Arbitrary<string>>> = {
      text: text.map((value) => JSON.stringify(value)),
      ...{ integer: whole, decimal: whole, minorUnits: whole, double: number },
      boolean: fc.constantFrom('true', 'false'),
      timestamp: instant.map((value) => JSON.stringify(value.toISOString())),
      businessDate: date,
      json: fc.constant('null'),
    };
    const anything = fc.oneof(...Object.values(usually), numberText, jsonText());
    const record = fc.tuple(
      ...deals.columns.map(({ kind, field }) =>
        fc
          .oneof(
            { weight: 60, arbitrary: usually[kind] },
            { weight: 10, arbitrary: fc.constant('null') },
            { weight: 1, arbitrary: anything },
          )
          .map((value) => `${JSON.stringify(field)}:${value}`),
      ),
    );
    let plainPages = 0;
    fc.assert(
      fc.property(fc.array(record, { minLength: 1, maxLength: 3 }), (records) => {
        const text = records.map((fields) => `{${fields.join()}}`).join();
        if (checkSame(deals, latin1(text))) plainPages++;
      }),
      { numRuns: 3000 },
    );
    expect(plainPages).toBeGreaterThan(100);
  });

  test('whatever byte of it is changed', () => {
    const good = asBytes(usual(), usual({ name: null }));
    const stream = streamNamed('borrower_sub_accounts')!;
    expect(checkSame(deals, good)).toBe(true);
    for (let at = 0; at < good.length; at++) {
      for (const char of '0a"\\,:{}[]-.\x00\xc3 ') {
        const changed = good.slice(0, at) + char + good.slice(at + 1);
        const encoded = plain(deals, changed);
        if (encoded === null) continue;
        expect(encoded).toEqual(mapped(deals, changed, encoded.columns));
      }
    }
    expect(plain(stream, good)).toBeNull();
  });
});
