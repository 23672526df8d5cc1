import { boolean, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const manualCommunicationLogs = defineStream({
  name: 'manual_communication_logs',
  description: 'Contacts that an agent recorded by hand, with their outcome.',
  dataset: { section: 'S4', code: 'D23', paging: 'via' },
  cursor: 'communicated_at',
  // The cursor is the time of the event, and rows change after it (is_active, is_ptp_broken): a plain window would not see that.
  lookBack: 'P30D',
  columns: {
    public_id: text,
    communication_type: text,
    interaction_source: text,
    outcome_option: text,
    is_active: boolean,
    is_ptp_broken: boolean.describe('Whether the promise to pay was broken; turns later than communicated_at'),
    communicated_at: timestamp,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
