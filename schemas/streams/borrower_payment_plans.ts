import { boolean, integer, minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerPaymentPlans = defineStream({
  name: 'borrower_payment_plans',
  description: 'Plans to pay a debt in installments.',
  dataset: { section: 'S2', code: 'D08', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    total_amount: minorUnits,
    total_installments: integer,
    status: text,
    payment_gateway: text,
    start_date: timestamp,
    end_date: timestamp,
    is_active: boolean,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
