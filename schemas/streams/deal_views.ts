import { boolean, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const dealViews = defineStream({
  name: 'deal_views',
  description: 'Saved views of the case list; the filters themselves are not exported.',
  dataset: { section: 'S3', code: 'D20', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    name: text,
    description: text,
    is_shared: boolean.describe('Shared with the whole organisation'),
    created_at: timestamp,
    updated_at: timestamp,
  },
});
