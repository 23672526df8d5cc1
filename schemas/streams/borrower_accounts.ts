import { businessDate, integer, minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerAccounts = defineStream({
  name: 'borrower_accounts',
  description: 'Accounts handed over for collection, one a debt, with what is owed and paid so far.',
  dataset: { section: 'S1', code: 'D02', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    account_reference_id: text.describe("The lender's own reference of the account"),
    customer_reference_id: text.describe(
      "The lender's own reference of the customer; the same as in user_lender_details",
    ),
    reference_id: text,
    total_amount: minorUnits,
    balance_amount: minorUnits,
    actual_balance_amount: minorUnits.describe('Balance after adjustments'),
    paid_amount: minorUnits,
    balance_principal_amount: minorUnits,
    balance_interest: minorUnits,
    balance_fee: minorUnits,
    minimum_due_amount: minorUnits,
    currency: text.describe('ISO 4217, of all amounts of the account'),
    submitted_date: businessDate.describe('Day the account was handed over'),
    due_date: businessDate,
    delinquent_days_on_submission: integer.describe('Days past due when handed over'),
    loan_type: text.describe('A label, or the bare number of a code without one'),
    status: text.describe('A label, or the bare number of a code without one'),
    merchant_name: text,
    lender_display_name: text,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
