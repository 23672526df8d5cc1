import { describe, expect, it } from 'vitest';
import { integer, json, text, timestamp } from '../schemas/kinds.ts';
import { genericStream, STREAMS, streamNamed, withPrimaryKey } from '../schemas/registry.ts';
import { defineStream, snakeCase, tableColumns } from '../schemas/stream.ts';
import { DATASETS } from '../simulator/datasets.ts';

/** The streams of the datasets that are documented; whoever declares another one is asked nothing here. */
const DOCUMENTED = STREAMS.filter(({ dataset }) =>
  DATASETS.some(({ available, code }) => available && code === dataset.code),
);

const kindsOf = (name: string) =>
  Object.fromEntries(streamNamed(name)!.columns.map((column) => [column.name, column.kind]));

describe('The declared streams', () => {
  it('are of one dataset each', () => {
    expect(new Set(STREAMS.map(({ dataset }) => dataset.code)).size).toBe(STREAMS.length);
  });

  it('are the 19 datasets that the API documents, each once', () => {
    expect(DOCUMENTED.map(({ dataset, name }) => `${dataset.section} ${dataset.code} ${name}`)).toEqual([
      'S1 D01 borrowers',
      'S1 D02 borrower_accounts',
      'S1 D03 borrower_sub_accounts',
      'S1 D05 borrower_account_events',
      'S2 D07 borrower_payments',
      'S2 D08 borrower_payment_plans',
      'S2 D09 borrower_payment_plan_installments',
      'S2 D12 scheduled_payments',
      'S2 D14 payment_proofs',
      'S2 D15 borrower_settlements',
      'S3 D16 borrower_deals',
      'S3 D17 borrower_deal_activity_logs',
      'S3 D18 borrower_deal_logs',
      'S3 D19 deal_activity_logs',
      'S3 D20 deal_views',
      'S4 D21 communication_logs',
      'S4 D22 conversations',
      'S4 D23 manual_communication_logs',
      'S5 D26 user_lender_details',
    ]);
  });

  it('may answer short pages where they are joined through a parent', () => {
    const via = DOCUMENTED.filter(({ dataset }) => dataset.paging === 'via').map(({ dataset }) => dataset.code);
    expect(via).toEqual(['D03', 'D17', 'D18', 'D19', 'D21', 'D22', 'D23']);
  });

  it('are paged by the field that the API names', () => {
    const others = DOCUMENTED.filter(({ cursor }) => cursor !== 'updated_at').map(({ dataset, cursor }) => [
      dataset.code,
      cursor,
    ]);
    expect(others).toEqual([
      ['D05', 'created_at'],
      ['D17', 'created_at'],
      ['D18', 'created_at'],
      ['D19', 'created_at'],
      ['D21', 'communicated_at'],
      ['D23', 'communicated_at'],
    ]);
  });

  it('have versions wherever rows have updated_at', () => {
    const without = DOCUMENTED.filter(({ version }) => version === null).map(({ dataset }) => dataset.code);
    expect(without).toEqual(['D05', 'D17', 'D18', 'D19']);
    expect(new Set(DOCUMENTED.map(({ version }) => version))).toEqual(new Set(['updated_at', null]));
  });

  it('look back for 30 days where rows change after the time they are paged by', () => {
    expect(
      DOCUMENTED.filter(({ lookBack }) => lookBack !== null).map(({ name, lookBack }) => [name, lookBack]),
    ).toEqual([
      ['communication_logs', 'P30D'],
      ['manual_communication_logs', 'P30D'],
    ]);
  });

  it('suspect the key of borrower_deals alone', () => {
    expect(
      DOCUMENTED.filter(({ suspectKey }) => suspectKey !== null).map(({ name, suspectKey }) => [name, suspectKey]),
    ).toEqual([['borrower_deals', { by: ['created_at'], suggest: ['public_id', 'created_at'] }]]);
  });

  it('have due_date as a business date or as an instant, as the API has', () => {
    expect(kindsOf('borrower_accounts').due_date).toBe('businessDate');
    expect(kindsOf('borrower_sub_accounts').due_date).toBe('businessDate');
    expect(kindsOf('borrower_payment_plan_installments').due_date).toBe('timestamp');
  });

  it('have no amount as a float and no duration as an integer', () => {
    const amounts = DOCUMENTED.flatMap(({ columns }) =>
      columns.filter(({ name }) => /amount|^balance_|down_payment/.test(name)),
    );
    expect(new Set(amounts.map(({ kind }) => kind))).toEqual(new Set(['minorUnits']));
    expect(kindsOf('communication_logs').duration).toBe('double');
  });

  it('mark what identifies a person', () => {
    const personal = DOCUMENTED.flatMap(({ name, columns }) =>
      columns.filter(({ pii }) => pii).map((column) => `${name}.${column.name}`),
    );
    expect(personal).toEqual([
      'borrowers.first_name',
      'borrowers.last_name',
      'borrower_deals.assigned_user_name',
      'borrower_deal_activity_logs.details',
      'communication_logs.from',
      'communication_logs.to',
      'user_lender_details.first_name',
      'user_lender_details.last_name',
    ]);
  });

  it('are found by name', () => {
    for (const stream of STREAMS) expect(streamNamed(stream.name)).toBe(stream);
    expect(streamNamed('nothing_like_it')).toBeNull();
    expect(streamNamed('constructor')).toBeNull();
  });

  it('have column names that differ in more than case, for databases that do not care', () => {
    for (const stream of STREAMS) {
      const names = tableColumns(stream).map((name) => name.toLowerCase());
      expect(new Set(names).size).toBe(names.length);
    }
  });
});

describe('A stream that no file declares', () => {
  it('has what datasets have in common, under its code', () => {
    const stream = genericStream({ section: 'S4', code: 'D24', cursorField: 'recorded_at', name: 'Outcome Details' });
    expect(stream).toMatchObject({
      name: 'd24',
      dataset: { section: 'S4', code: 'D24', paging: 'via' },
      cursor: 'recorded_at',
      primaryKey: ['public_id'],
      version: 'updated_at',
      lookBack: 'P30D',
      suspectKey: null,
    });
    expect(genericStream({ section: 'S4', code: 'D24', cursorField: 'updated_at', name: null }).lookBack).toBeNull();
    expect(stream.description).toContain('Outcome Details');
    expect(tableColumns(stream).slice(0, 5)).toEqual([
      'public_id',
      'recorded_at',
      'created_at',
      'updated_at',
      '_extra',
    ]);
  });

  it('has its cursor field once', () => {
    const stream = genericStream({ section: 'S1', code: 'D04', cursorField: 'updated_at', name: null });
    expect(stream.columns.map(({ name }) => name).sort()).toEqual(['created_at', 'public_id', 'updated_at']);
    expect(stream.description).toContain('D04');
  });

  it.each(['updatedAt', '_extra'])(
    'is refused where its cursor field cannot be a column of its own: %s',
    (cursorField) => {
      expect(() => genericStream({ section: 'S1', code: 'D04', cursorField, name: null })).toThrow(/d04/);
    },
  );
});

describe('A stream with another primary key', () => {
  const deals = streamNamed('borrower_deals')!;

  it('is the same but for its key', () => {
    const key = ['public_id', 'deal_stage_id'];
    expect(withPrimaryKey(deals, key)).toEqual({ ...deals, primaryKey: key });
    expect(deals.primaryKey).toEqual(['public_id']);
  });

  it('is no longer suspected once the key tells its rows apart', () => {
    expect(withPrimaryKey(deals, ['public_id', 'created_at']).suspectKey).toBeNull();
    expect(withPrimaryKey(deals, ['public_id']).suspectKey).toEqual(deals.suspectKey);
  });

  it('is suspected of mixing up rows of other public_ids where its key has none', () => {
    const parts = streamNamed('borrower_sub_accounts')!;
    const suspectKey = { by: ['public_id'], suggest: ['public_id'] };
    expect(withPrimaryKey(parts, ['created_at']).suspectKey).toEqual(suspectKey);
    expect(withPrimaryKey(parts, ['created_at', 'public_id']).suspectKey).toBeNull();
    expect(withPrimaryKey(deals, ['created_at']).suspectKey).toEqual({ ...deals.suspectKey, by: ['public_id'] });
  });

  it.each([
    [[], /needs a column/],
    [['public_id', 'deal_id', 'case_id'], /borrower_deals has no column deal_id, case_id/],
    [['hasReachedRpcOrBeyond'], /no column hasReachedRpcOrBeyond/],
    [['dpd_due_date_parsed'], /no column dpd_due_date_parsed/],
    [['public_id', 'public_id'], /names public_id twice/],
  ])('is refused for the key %j', (key, message) => {
    expect(() => withPrimaryKey(deals, key)).toThrow(message);
  });

  it('is refused for columns that do not compare exactly', () => {
    expect(() => withPrimaryKey(streamNamed('conversations')!, ['delivery_status'])).toThrow(/delivery_status is json/);
    expect(() => withPrimaryKey(streamNamed('communication_logs')!, ['duration'])).toThrow(/duration is double/);
  });
});

describe('A declaration that contradicts itself', () => {
  const declare = (columns: Parameters<typeof defineStream>[0]['columns'], more = {}) =>
    defineStream({
      name: 'wrong',
      description: '',
      dataset: { section: 'S1', code: 'D99', paging: 'direct' },
      cursor: 'updated_at',
      columns: { public_id: text, updated_at: timestamp, ...columns },
      ...more,
    });

  it.each([
    [{ hasTree: json, has_tree: json }, {}, /has_tree is declared twice/],
    [{ _synced_at: timestamp }, {}, /_synced_at is declared twice/],
    [{}, { primaryKey: ['id'] }, /id is not one of its columns/],
    [{}, { version: 'revision' }, /revision is not one of its columns/],
    [{}, { cursor: 'seen_at' }, /seen_at is not one of its columns/],
    [{ updated_at: integer }, {}, /its cursor is no timestamp/],
  ])('is refused: %#', (columns, more, message) => {
    expect(() => declare(columns, more)).toThrow(message);
  });
});

describe('A column name', () => {
  it.each([
    ['hasReachedRpcOrBeyond', 'has_reached_rpc_or_beyond'],
    ['public_id', 'public_id'],
    ['Status', 'status'],
  ])('of %s is %s', (field, name) => {
    expect(snakeCase(field)).toBe(name);
  });
});
