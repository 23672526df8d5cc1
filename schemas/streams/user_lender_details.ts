import { text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const userLenderDetails = defineStream({
  name: 'user_lender_details',
  description: 'Links between a borrower and a lender, one a pair.',
  dataset: { section: 'S5', code: 'D26', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text.describe('The link between borrower and lender; what borrower_deals calls its public_id'),
    customer_reference_id: text.describe(
      "The lender's own reference of the customer; the same as in borrower_accounts",
    ),
    first_name: text.personal(),
    last_name: text.personal(),
    updated_at: timestamp,
  },
});
