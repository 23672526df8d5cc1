import {
  amount,
  businessDate,
  choice,
  createdAt,
  dayAhead,
  type Field,
  flag,
  linkKey,
  maybe,
  mongoKey,
  object,
  state,
  updatedAt,
} from '../fields.ts';
import { pick } from '../random.ts';

const STAGES = ['stage_new', 'stage_contacted', 'stage_negotiation', 'stage_promised', 'stage_closed'];
const AGENTS = ['Agent Example', 'Agent Two', 'وكيل ثلاثة'];

const pipelines: readonly Field[] = [
  state('deal_stage_id', STAGES),
  choice('pipeline', ['Early Collections', 'Late Collections']),
  choice('comms_pipeline', ['Standard Outreach', 'Soft Outreach']),
];

const promises: readonly Field[] = [
  dayAhead('ptp_date_human', 60, 0.5),
  dayAhead('ptp_date_ai', 60, 0.7),
  dayAhead('broken_ptp_date_human', 60, 0.8),
  dayAhead('broken_ptp_date_ai', 60, 0.9),
];

const comment = maybe('comment', ['Asked to be called next week', 'لا يرد على الهاتف', 'Said: "later"\n'], 0.4);
const author = choice('created_by', ['agent_1120', 'agent_1121', 'system']);

export const borrowerDeals: readonly Field[] = [
  linkKey,
  ...pipelines,
  amount('amount', (draft) => draft.total - draft.paid),
  choice('assigned_user_name', AGENTS),
  businessDate('dpd_due_date', 60),
  businessDate('last_due_date', 30),
  ...promises,
  flag('hasReachedRpcOrBeyond', 0.4),
  flag('do_not_contact', 0.05),
  createdAt,
  updatedAt,
];

export const borrowerDealActivityLogs: readonly Field[] = [
  mongoKey,
  choice('action', ['stage_changed', 'assigned']),
  comment,
  author,
  object(
    'details',
    ({ stable }) =>
      `{"oldStage":"${pick(stable, STAGES)}","newStage":"${pick(stable, STAGES)}","assignedUserName":"${pick(stable, AGENTS)}"}`,
  ),
  createdAt,
];

export const borrowerDealLogs: readonly Field[] = [
  mongoKey,
  choice('log_action', ['stage_transition', 'ptp_set']),
  ...pipelines,
  ...promises,
  flag('do_not_contact', 0.05),
  createdAt,
];

export const dealActivityLogs: readonly Field[] = [
  mongoKey,
  choice('action', ['assigned', 'stage_changed', 'note_added']),
  comment,
  author,
  createdAt,
];

export const dealViews: readonly Field[] = [
  mongoKey,
  choice('name', ['High-DPD Jeddah', 'New this week', 'Promises due']),
  maybe('description', ['Cases over 60 DPD', 'Assigned in the last 7 days'], 0.3),
  flag('is_shared', 0.5),
  createdAt,
  updatedAt,
];
