import { json, text, timestamp } from '../kinds.ts';
import { defineStream } from '../stream.ts';

export const borrowerDealActivityLogs = defineStream({
  name: 'borrower_deal_activity_logs',
  description: "What was done on a borrower's cases, step by step; rows never change.",
  dataset: { section: 'S3', code: 'D17', paging: 'via' },
  cursor: 'created_at',
  columns: {
    public_id: text,
    action: text,
    comment: text.describe('Free text'),
    created_by: text.describe('A user id or a system tag'),
    details: json.describe('oldStage, newStage and assignedUserName: stage before and after, and the agent').personal(),
    created_at: timestamp,
  },
});
