import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { airbyteKinds } from '../destinations/airbyte/kinds.ts';
import { plainPages } from '../destinations/airbyte/plain-page.ts';
import { recordWriter } from '../destinations/airbyte/records.ts';
import { decodeJson } from '../schemas/decode.ts';
import type { ColumnKind } from '../schemas/kinds.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { STREAMS, streamNamed } from '../schemas/registry.ts';
import type { Value } from '../schemas/row.ts';
import { parsedName, type Stream } from '../schemas/stream.ts';
import type { Outcome } from './fixtures/difficult/value.ts';
import { DIFFICULT_STREAM, DIFFICULT_VALUES, outcomeIn } from './fixtures/difficult-values.ts';

const ASKED_AT = '2026-05-01T10:00:00.123456Z';
const subAccounts = streamNamed('borrower_sub_accounts')!;

const bodyOf = (
  records: readonly string[],
  around = (rows: string) => `{"code":200,"body":{"rows":${rows},"pagination":{"nextCursor":null}}}`,
) => Buffer.from(around(`[${records.join(',')}]`));

/** The RECORDs that rows give, and those that the page's bytes give, which may be none. */
function bothWays(stream: Stream, body: Buffer) {
  const { body: envelope } = decodeJson(body) as { body: { rows: unknown[] } };
  const mapping = compileMapper(stream, airbyteKinds).map(envelope.rows, ASKED_AT);
  const plain = plainPages(stream).lines(body, ASKED_AT);
  return {
    mapping,
    rows: recordsIn(Buffer.from(recordWriter(stream).lines(mapping, ASKED_AT))),
    bytes: plain === null ? null : recordsIn(Buffer.from(plain.lines)),
    count: plain?.rows,
  };
}

/** Each line with its keys in order and its numbers with the digits that they have. */
function recordsIn(lines: Buffer): string[] {
  const parts = lines.toString().split('\n');
  expect(parts.pop()).toBe('');
  return parts.map((line) => JSON.stringify(sorted(decodeJson(Buffer.from(line)))));
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null || JSON.isRawJSON(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, inner]) => [key, sorted(inner)]),
  );
}

/** JSON texts of values: mostly such as a plain page has, and all that comes near them. */
const pad = (width: number, max: number) => fc.nat(max).map((number) => String(number).padStart(width, '0'));
const digits = fc.bigInt({ min: 0n, max: 10n ** 17n }).map(String);
const VALUES: Record<ColumnKind, fc.Arbitrary<string>> = {
  text: fc.string({ unit: 'binary' }).map((text) => JSON.stringify(text)),
  integer: fc.oneof(
    digits,
    digits.map((text) => `-${text}`),
    fc.constantFrom('0', '-0', '01', '1.0', '1e3').filter((text) => text !== '01'),
  ),
  decimal: fc.oneof(
    digits,
    digits.map((text) => `-${text}`),
    fc.constantFrom('0.5', '-0', '12.50'),
  ),
  minorUnits: fc.oneof(
    digits,
    digits.map((text) => `-${text}`),
    fc.constantFrom('0.5', '-0', '12.50'),
  ),
  double: fc.oneof(
    digits,
    fc.double({ noNaN: true, noDefaultInfinity: true }).map((number) => JSON.stringify(number)),
  ),
  boolean: fc.constantFrom('true', 'false'),
  timestamp: fc
    .tuple(
      pad(4, 9999),
      pad(2, 13),
      pad(2, 32),
      pad(2, 24),
      pad(2, 60),
      pad(2, 60),
      pad(3, 999),
      fc.constantFrom('Z', 'z', '+03:00'),
    )
    .map(([y, mo, d, h, mi, s, ms, zone]) => `"${y}-${mo}-${d}T${h}:${mi}:${s}.${ms}${zone}"`),
  businessDate: fc
    .tuple(pad(2, 32), pad(2, 13), pad(4, 9999), fc.constantFrom('/', '-'))
    .map(([d, m, y, by]) => `"${d}${by}${m}${by}${y}"`),
  json: fc.json(),
};
const PLAIN: Partial<Record<ColumnKind, fc.Arbitrary<string>>> = {
  text: fc.stringMatching(/^[a-z é٠-٩-]{0,20}$/u).map((text) => JSON.stringify(text)),
  integer: fc.integer().map(String),
  decimal: fc.integer().map(String),
  minorUnits: fc.integer().map(String),
  double: fc.integer().map(String),
  timestamp: fc
    .date({ min: new Date('0001-01-01'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => JSON.stringify(date)),
};

const valueFor = (kind: ColumnKind, odd: boolean) => {
  const plain = PLAIN[kind] ?? VALUES[kind];
  return odd
    ? fc.oneof(VALUES[kind], plain, fc.constantFrom('null', '""', '[]', '{"a":1}', '9', '"9"', 'true'))
    : plain;
};

const pageOf = (stream: Stream, odd: boolean) =>
  fc.array(
    fc
      .tuple(
        ...stream.columns.map(({ kind, name }) =>
          stream.primaryKey.includes(name) && !odd
            ? fc.stringMatching(/^[0-9a-f]{24}$/).map((key) => `"${key}"`)
            : valueFor(kind, odd),
        ),
      )
      .map(
        (values) => `{${stream.columns.map(({ field }, at) => `${JSON.stringify(field)}:${values[at]}`).join(',')}}`,
      ),
    { minLength: 1, maxLength: 4 },
  );

/** The RECORD of what is written beside a difficult value, as text. */
function recordOf({ row, extra, changes }: Outcome): string {
  const members = DIFFICULT_STREAM.columns.flatMap(({ name, kind }) => {
    const isQuoted = kind === 'text' || kind === 'timestamp' || kind === 'businessDate';
    const text = (value: Value | undefined) =>
      value === undefined ? 'null' : isQuoted ? JSON.stringify(value) : String(value);
    const names = kind === 'businessDate' ? [name, parsedName(name)] : [name];
    return names.map((each) => `${JSON.stringify(each)}:${text(row?.[each])}`);
  });
  const data = `{${[...members, `"_extra":${extra}`].join()}}`;
  const told = changes.map((change) => ({
    ...change,
    reason: change.reason.replace(/^DESTINATION_(?!TYPE)/, 'SOURCE_'),
  }));
  const meta = told.length === 0 ? '' : `,"meta":{"changes":${JSON.stringify(told)}}`;
  const stream = JSON.stringify(DIFFICULT_STREAM.name);
  return `{"type":"RECORD","record":{"stream":${stream},"emitted_at":${Date.parse(ASKED_AT)},"data":${data}${meta}}}\n`;
}

test.each(DIFFICULT_VALUES.filter(({ row }) => row !== null))('fault 13: a RECORD of $what', (value) => {
  const body = Buffer.concat([
    Buffer.from('{"body":{"rows":['),
    value.record,
    Buffer.from('],"pagination":{"nextCursor":null}}}'),
  ]);
  const { rows, bytes } = bothWays(DIFFICULT_STREAM, body);
  expect(rows).toEqual(recordsIn(Buffer.from(recordOf(outcomeIn('airbyte', value)))));
  if (bytes !== null) expect(bytes).toEqual(rows);
});

describe('a plain page', () => {
  test.each(STREAMS.map((stream) => [stream.name, stream] as const))(
    '%s: its bytes give exactly the RECORDs that its rows give',
    (_, stream) => {
      let plain = 0;
      const check = (records: readonly string[]) => {
        const { rows, bytes, count, mapping } = bothWays(stream, bodyOf(records));
        if (bytes === null) return;
        plain += 1;
        expect(bytes).toEqual(rows);
        expect({
          count,
          rejects: mapping.rejects,
          changed: mapping.changedFields,
          unparsed: mapping.unparsedDates,
        }).toEqual({
          count: records.length,
          rejects: [],
          changed: 0,
          unparsed: 0,
        });
      };
      fc.assert(fc.property(pageOf(stream, false), check), { numRuns: 100 });
      fc.assert(fc.property(pageOf(stream, true), check), { numRuns: 200 });
      if (!stream.columns.some(({ kind }) => kind === 'json' || kind === 'businessDate'))
        expect(plain).toBeGreaterThan(50);
    },
  );

  const plainRecord = (patch: Record<string, unknown> = {}) =>
    JSON.stringify({
      public_id: '6530cadbbac93b3c07000000',
      sub_account_reference_id: 'SUB-1',
      total_amount: 2797500,
      balance_amount: -5,
      actual_balance_amount: 0,
      paid_amount: null,
      balance_principal_amount: 2163887,
      balance_interest: 305490,
      balance_fee: 76373,
      submitted_date: '29/02/2024',
      due_date: null,
      dpd_bucket_start: 31,
      dpd_bucket_end: 60,
      created_at: '2023-10-19T06:21:15.721Z',
      updated_at: '2023-11-22T00:04:31.116Z',
      ...patch,
    });

  test('is told as such: leap days, nulls, another order of keys', () => {
    const reordered = JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(plainRecord())).reverse()));
    for (const record of [plainRecord(), reordered]) {
      const { bytes, rows } = bothWays(subAccounts, bodyOf([record, record]));
      expect(bytes).toEqual(rows);
      expect(bytes).toHaveLength(2);
    }
  });

  test.each([
    ['a field that no column declares', [plainRecord({ more: 1 })]],
    ['a field that is missing', [plainRecord({ due_date: undefined })]],
    ['another shape further on', [plainRecord(), plainRecord({ more: 1 })]],
    ['a field that is there twice', [plainRecord().replace('{', '{"due_date":null,')]],
    ['white space', [plainRecord().replace(':', ': ')]],
    ['an escape', [plainRecord({ sub_account_reference_id: 'a"b' })]],
    ['a date that is none', [plainRecord({ due_date: '30/02/2024' })]],
    ['an empty key', [plainRecord({ public_id: '' })]],
    ['no key', [plainRecord({ public_id: null })]],
    ['a key that is too long', [plainRecord({ public_id: 'k'.repeat(1025) })]],
    ['16 digits', [plainRecord().replace('2797500', '1234567890123456')]],
    ['an instant of another form', [plainRecord({ created_at: '2023-10-19T06:21:15Z' })]],
  ])('is not one with %s', (_, records) => {
    expect(bothWays(subAccounts, bodyOf(records)).bytes).toBeNull();
  });

  test('is not one whose list of records could be another', () => {
    const other = (rows: string) =>
      `{"code":200,"meta":{"rows":${rows}},"body":{"rows":${rows},"pagination":{"nextCursor":null}}}`;
    expect(bothWays(subAccounts, bodyOf([plainRecord()], other)).bytes).toBeNull();
  });

  test('gives its memory back for the next one, and only then', () => {
    const pages = plainPages(subAccounts);
    const first = pages.lines(bodyOf([plainRecord()]), ASKED_AT)!;
    const second = pages.lines(bodyOf([plainRecord({ total_amount: 1 })]), ASKED_AT)!;
    expect(second.lines.buffer).not.toBe(first.lines.buffer);
    first.release();
    const third = pages.lines(bodyOf([plainRecord({ total_amount: 2 })]), ASKED_AT)!;
    expect(third.lines.buffer).toBe(first.lines.buffer);
    expect(Buffer.from(second.lines).toString()).toContain('"total_amount":1,');
  });
});

describe('a RECORD', () => {
  const recordOf = (record: Record<string, unknown>) => {
    const { rows } = bothWays(streamNamed('borrower_deals')!, bodyOf([JSON.stringify(record)]));
    return JSON.parse(rows[0]!);
  };

  test('holds the columns under their warehouse names, and what none holds in _extra', () => {
    const { record } = recordOf({ public_id: 'k', hasReachedRpcOrBeyond: true, dpd_due_date: '01/02/2026', more: [1] });
    expect(record).toMatchObject({ stream: 'borrower_deals', emitted_at: Date.parse(ASKED_AT) });
    expect(record.data).toMatchObject({
      public_id: 'k',
      has_reached_rpc_or_beyond: true,
      dpd_due_date: '01/02/2026',
      dpd_due_date_parsed: '2026-02-01',
      _extra: { more: [1] },
    });
    expect(record).not.toHaveProperty('meta');
  });

  test('says in meta.changes what did not fit, in words of a source where there are some', () => {
    const { record } = recordOf({ public_id: 'k', amount: 'many', deal_stage_id: 'a\0b', pipeline: '1' });
    expect(record.data).toMatchObject({ amount: null, deal_stage_id: 'ab' });
    expect(record.meta.changes).toEqual([
      { change: 'TRUNCATED', field: 'deal_stage_id', reason: 'SOURCE_SERIALIZATION_ERROR' },
      { change: 'NULLED', field: 'amount', reason: 'DESTINATION_TYPECAST_ERROR' },
    ]);
  });

  test('keeps numbers that no double holds as text in _extra, and exact in columns', () => {
    const body = bodyOf([
      '{"public_id":"k","amount":12345678901234567890.123456789,"more":[1e400,1.10,9007199254740993,7]}',
    ]);
    const [line] = bothWays(streamNamed('borrower_deals')!, body).rows;
    expect(line).toContain('"amount":12345678901234567890.123456789,');
    expect(line).toContain('"_extra":{"more":"[1e400,1.10,9007199254740993,7]"}');
  });
});
