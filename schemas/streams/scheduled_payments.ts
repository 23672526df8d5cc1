import { minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const scheduledPayments = defineStream({
  name: 'scheduled_payments',
  description: 'Payments that are due to be taken on a day to come.',
  dataset: { section: 'S2', code: 'D12', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    amount: minorUnits,
    scheduled_date: timestamp.describe('When the payment is due to be taken'),
    status: text,
    payment_method: text,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
