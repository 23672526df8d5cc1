import { text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerAccountEvents = defineStream({
  name: 'borrower_account_events',
  description: 'What happened to accounts, event by event; rows never change.',
  dataset: { section: 'S1', code: 'D05', paging: 'direct' },
  cursor: 'created_at',
  columns: {
    public_id: text,
    channel: text,
    event: text,
    ip_address: text.describe('Masked: the first two octets, then zeros'),
    created_at: timestamp,
  },
});
