import { boolean, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerDealLogs = defineStream({
  name: 'borrower_deal_logs',
  description: 'Snapshots of cases, one each time something changed; rows never change.',
  dataset: { section: 'S3', code: 'D18', paging: 'via' },
  cursor: 'created_at',
  columns: {
    public_id: text,
    log_action: text,
    deal_stage_id: text.describe('Stage at that time'),
    pipeline: text,
    comms_pipeline: text,
    ptp_date_human: timestamp,
    ptp_date_ai: timestamp,
    broken_ptp_date_human: timestamp,
    broken_ptp_date_ai: timestamp,
    do_not_contact: boolean,
    created_at: timestamp,
  },
});
