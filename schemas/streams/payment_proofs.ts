import { text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const paymentProofs = defineStream({
  name: 'payment_proofs',
  description: 'Proofs of payment and their review; the files themselves are not exported.',
  dataset: { section: 'S2', code: 'D14', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    status: text,
    reviewed_at: timestamp.describe('Null until reviewed'),
    created_at: timestamp,
    updated_at: timestamp,
  },
});
