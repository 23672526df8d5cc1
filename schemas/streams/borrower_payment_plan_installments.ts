import { integer, minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerPaymentPlanInstallments = defineStream({
  name: 'borrower_payment_plan_installments',
  description: 'Installments of payment plans.',
  dataset: { section: 'S2', code: 'D09', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    number: integer.describe('Place in the plan, from 1'),
    amount: minorUnits,
    due_date: timestamp.describe('An instant here; a business date in borrower_accounts and borrower_sub_accounts'),
    status: text,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
