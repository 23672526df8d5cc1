import { boolean, businessDate, minorUnits, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerDeals = defineStream({
  name: 'borrower_deals',
  description: 'Collection cases as they stand now: stage, agent, promises to pay.',
  dataset: { section: 'S3', code: 'D16', paging: 'direct' },
  cursor: 'updated_at',
  // A borrower with several cases at one lender would share this key among them.
  suspectKey: { by: ['created_at'], suggest: ['public_id', 'created_at'] },
  columns: {
    public_id: text.describe(
      'The link between borrower and lender (user_lender_details.public_id), not the case itself',
    ),
    deal_stage_id: text,
    pipeline: text,
    comms_pipeline: text,
    amount: minorUnits,
    assigned_user_name: text.describe("The agent's name").personal(),
    dpd_due_date: businessDate,
    last_due_date: businessDate,
    ptp_date_human: timestamp,
    ptp_date_ai: timestamp,
    broken_ptp_date_human: timestamp,
    broken_ptp_date_ai: timestamp,
    hasReachedRpcOrBeyond: boolean,
    do_not_contact: boolean,
    created_at: timestamp,
    updated_at: timestamp,
  },
});
