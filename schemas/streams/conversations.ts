import { json, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const conversations = defineStream({
  name: 'conversations',
  description: 'Single messages of conversations and their delivery; text and media are not exported.',
  dataset: { section: 'S4', code: 'D22', paging: 'via' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    platform: text,
    purpose: text,
    type: text,
    by: text,
    operation: text,
    status: text,
    visibility: text,
    delivery_status: json.describe(
      'status (compare case-insensitively), code and error_detail, as the provider told them',
    ),
    created_at: timestamp,
    updated_at: timestamp,
  },
});
