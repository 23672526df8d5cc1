import { businessDate, integer, minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerSubAccounts = defineStream({
  name: 'borrower_sub_accounts',
  description: 'Parts of accounts, each with its own balance and due date.',
  dataset: { section: 'S1', code: 'D03', paging: 'via' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    sub_account_reference_id: text.describe("The lender's own reference of the sub-account"),
    total_amount: minorUnits,
    balance_amount: minorUnits,
    actual_balance_amount: minorUnits,
    paid_amount: minorUnits,
    balance_principal_amount: minorUnits,
    balance_interest: minorUnits,
    balance_fee: minorUnits,
    submitted_date: businessDate,
    due_date: businessDate,
    dpd_bucket_start: integer.describe('Days past due: lower bound of the bucket'),
    dpd_bucket_end: integer.describe('Days past due: upper bound of the bucket'),
    created_at: timestamp,
    updated_at: timestamp,
  },
});
