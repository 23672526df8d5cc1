import { expectTypeOf, it } from 'vitest';
import { businessDate, integer, json, minorUnits, text, timestamp } from '../schemas/kinds.ts';
import { defineStream, type Row } from '../schemas/stream.ts';
import type { borrowerDeals } from '../schemas/streams/borrower_deals.ts';
import type { borrowerSubAccounts } from '../schemas/streams/borrower_sub_accounts.ts';
import type { communicationLogs } from '../schemas/streams/communication_logs.ts';

const things = defineStream({
  name: 'things',
  description: 'A column of some kinds.',
  dataset: { section: 'S9', code: 'D97', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    count: integer.describe('How many'),
    amount: minorUnits,
    dueOn: businessDate,
    tree: json.personal(),
    updated_at: timestamp,
  },
});

it('The type of a row is inferred from its declaration', () => {
  expectTypeOf<Row<typeof things>>().branded.toEqualTypeOf<{
    public_id: string | null;
    count: number | bigint | null;
    amount: number | string | null;
    due_on: string | null;
    due_on_parsed: string | null;
    tree: string | null;
    updated_at: string | null;
    _extra: string | null;
    _changes: string | null;
    _synced_at: string;
  }>();
});

it('The rows of the declared streams have types', () => {
  type SubAccount = Row<typeof borrowerSubAccounts>;
  expectTypeOf<SubAccount['submitted_date']>().toEqualTypeOf<string | null>();
  expectTypeOf<SubAccount['submitted_date_parsed']>().toEqualTypeOf<string | null>();
  expectTypeOf<SubAccount['total_amount']>().toEqualTypeOf<number | string | null>();
  expectTypeOf<SubAccount['dpd_bucket_start']>().toEqualTypeOf<number | bigint | null>();
  expectTypeOf<Row<typeof communicationLogs>['duration']>().toEqualTypeOf<number | null>();
  expectTypeOf<Row<typeof borrowerDeals>['has_reached_rpc_or_beyond']>().toEqualTypeOf<boolean | null>();
});

it('A field that is not declared is not in the type, nor is a date beside what is no business date', () => {
  expectTypeOf<Row<typeof borrowerDeals>>().not.toHaveProperty('hasReachedRpcOrBeyond');
  expectTypeOf<Row<typeof borrowerSubAccounts>>().not.toHaveProperty('updated_at_parsed');
});

it('A key, cursor or version that is no column does not compile', () => {
  const declaration = {
    name: 'wrong',
    description: '',
    dataset: { section: 'S9', code: 'D96', paging: 'direct' },
    columns: { public_id: text, updated_at: timestamp },
  } as const;
  expectTypeOf(defineStream<typeof declaration.columns>)
    .parameter(0)
    .toHaveProperty('cursor');
  expectTypeOf<Parameters<typeof defineStream<typeof declaration.columns>>[0]['cursor']>().toEqualTypeOf<
    'public_id' | 'updated_at'
  >();
});
