import { boolean, minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerPayments = defineStream({
  name: 'borrower_payments',
  description: 'Payments made by borrowers, also those made before the account was handed over.',
  dataset: { section: 'S2', code: 'D07', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    amount: minorUnits.describe('Minor units: 75000 is 750.00 where the currency has two decimals'),
    settled_amount: minorUnits.describe('0 until settled to the lender'),
    payment_type: text,
    payment_status: text,
    is_settled: boolean,
    paid_before_submission: boolean.describe('Paid before the account was handed over'),
    paid_date: timestamp,
    failure_reason: text.describe('Set when payment_status is FAILED'),
    created_at: timestamp,
    updated_at: timestamp,
  },
});
