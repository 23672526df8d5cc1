import { double, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const communicationLogs = defineStream({
  name: 'communication_logs',
  description: 'Calls and messages to and from borrowers; what was said is not exported.',
  dataset: { section: 'S4', code: 'D21', paging: 'via' },
  cursor: 'communicated_at',
  // The cursor is the time of the event, and rows change after it (status, duration): a plain window would not see that.
  lookBack: 'P30D',
  columns: {
    public_id: text,
    communication_type: text,
    direction: text,
    status: text,
    from: text.describe('Number or address it came from').personal(),
    to: text.describe('Number or address it went to').personal(),
    subject: text,
    duration: double.describe('Seconds'),
    communicated_at: timestamp,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
