import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { decodeJson } from '../schemas/decode.ts';
import { compileMapper } from '../schemas/mapper.ts';
import { STREAMS } from '../schemas/registry.ts';
import { type Stream, tableColumns } from '../schemas/stream.ts';
import { REFERENCE_KINDS } from './fixtures/difficult-values.ts';

const pages = new URL('fixtures/pages/', import.meta.url);
const syncedAt = '2026-06-01T12:00:00.000000Z';

function mapPage(stream: Stream) {
  const body = decodeJson(readFileSync(new URL(`${stream.name}.json`, pages))) as { body: { rows: unknown[] } };
  const mapping = compileMapper(stream, REFERENCE_KINDS).map(body.body.rows, syncedAt);
  const names = tableColumns(stream);
  return {
    ...mapping,
    records: body.body.rows as Record<string, unknown>[],
    named: mapping.rows.map((row) => Object.fromEntries(row.map((value, at) => [names[at]!, value]))),
  };
}

describe('The sample page of a stream', () => {
  it('is there for every stream', () => {
    expect(readdirSync(pages).sort()).toEqual(STREAMS.map(({ name }) => `${name}.json`).sort());
  });

  it.each(STREAMS)('$name maps to the rows that were reviewed', async (stream) => {
    const { named } = mapPage(stream);
    await expect(`${JSON.stringify(named, null, 2)}\n`).toMatchFileSnapshot(`fixtures/rows/${stream.name}.json`);
  });

  it.each(STREAMS)('$name fits its columns', (stream) => {
    const { records, rows, rejects, changedFields, unparsedDates } = mapPage(stream);
    expect(rows.length).toBeGreaterThan(0);
    expect({ rows: rows.length, rejects, changedFields, unparsedDates }).toEqual({
      rows: records.length,
      rejects: [],
      changedFields: 0,
      unparsedDates: 0,
    });
  });

  it.each(STREAMS)('$name brings every declared field', (stream) => {
    const sent = new Set(mapPage(stream).records.flatMap(Object.keys));
    expect(stream.columns.map(({ field }) => field).filter((field) => !sent.has(field))).toEqual([]);
  });
});

describe('The documented row of borrower_sub_accounts', () => {
  it('was submitted on the first of February', () => {
    const stream = STREAMS.find(({ name }) => name === 'borrower_sub_accounts')!;
    expect(mapPage(stream).named.at(-1)).toEqual({
      public_id: '6981c9b35d7a418f2261aa07',
      sub_account_reference_id: 'SUB-2026-44817-03',
      total_amount: 375000,
      balance_amount: 250000,
      actual_balance_amount: 250000,
      paid_amount: 125000,
      balance_principal_amount: 220000,
      balance_interest: 25000,
      balance_fee: 5000,
      submitted_date: '01/02/2026',
      submitted_date_parsed: '2026-02-01',
      due_date: '15/06/2026',
      due_date_parsed: '2026-06-15',
      dpd_bucket_start: 1,
      dpd_bucket_end: 30,
      created_at: '2026-02-01T09:15:34.000000Z',
      updated_at: '2026-05-29T07:20:55.000000Z',
      _extra: null,
      _changes: null,
      _synced_at: syncedAt,
    });
  });
});
