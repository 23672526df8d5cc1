import { text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const dealActivityLogs = defineStream({
  name: 'deal_activity_logs',
  description: 'What was done on cases, rolled up by case; rows never change.',
  dataset: { section: 'S3', code: 'D19', paging: 'via' },
  cursor: 'created_at',
  columns: {
    public_id: text,
    action: text,
    comment: text,
    created_by: text.describe('A user id or a system tag'),
    created_at: timestamp,
  },
});
