import { text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowers = defineStream({
  name: 'borrowers',
  description:
    'People whose debt is collected. Contact details, masked identifiers and addresses arrive in `_extra` until they are declared.',
  dataset: { section: 'S1', code: 'D01', paging: 'direct' },
  cursor: 'updated_at',
  columns: {
    public_id: text,
    first_name: text.personal(),
    last_name: text.personal(),
    country: text.describe('A country code or a country name'),
    preferred_language: text,
    updated_at: timestamp,
  },
});
