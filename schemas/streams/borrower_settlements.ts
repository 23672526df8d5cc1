import { boolean, integer, minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerSettlements = defineStream({
  name: 'borrower_settlements',
  description: 'Agreements to settle a debt for less, or in installments.',
  dataset: { section: 'S2', code: 'D15', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    status: text,
    payment_type: text.describe('Lump sum or installments'),
    hardship_reason: text,
    employment_status: text,
    proposed_settlement_amount: minorUnits,
    down_payment: minorUnits,
    monthly_installment: minorUnits,
    number_of_installments: integer,
    principal_amount: minorUnits.describe('Principal that the settlement covers'),
    write_off_amount: minorUnits,
    start_date: timestamp,
    end_date: timestamp,
    paid_at: timestamp.describe('Set when fully paid'),
    is_paid: boolean,
    is_active: boolean,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
