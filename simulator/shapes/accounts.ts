import {
  amount,
  businessDate,
  choice,
  createdAt,
  type Draft,
  eventKey,
  type Field,
  label,
  made,
  maybe,
  mongoKey,
  number,
  updatedAt,
} from '../fields.ts';
import { mix, rollBelow } from '../random.ts';
import { customerNumber, customerReference } from './people.ts';

/** D02 `loan_type`: the labels by their code; the ninth has no published code. */
export const LOAN_TYPES = [
  'CREDIT_CARD',
  'LEASE',
  'PERSONAL_LOAN',
  'BNPL',
  'CAR_RENTAL',
  'SUBSCRIPTION',
  'Charge Back',
  'SALARY_ADVANCE_LOAN',
  'OverDraft',
] as const;

/** D02 `status`: only the first is confirmed, the others follow the words of the lender portal. */
export const ACCOUNT_STATUSES = ['IN_COLLECTION', 'COLLECTED', 'WITHDRAWN'] as const;

const year = (draft: Draft) => new Date(draft.created).getUTCFullYear();

const balances: readonly Field[] = [
  amount('total_amount', (draft) => draft.total),
  amount('balance_amount', (draft) => draft.total - draft.paid),
  amount('actual_balance_amount', (draft) => draft.total - draft.paid),
  amount('paid_amount', (draft) => draft.paid),
  amount('balance_principal_amount', (draft) => draft.principal),
  amount('balance_interest', (draft) => draft.interest),
  amount('balance_fee', (draft) => draft.fee),
];

export const borrowerAccounts: readonly Field[] = [
  mongoKey,
  made('account_reference_id', (draft) => `ACC-${year(draft)}-${customerNumber(draft)}`),
  customerReference,
  made('reference_id', (draft) => `REF-${customerNumber(draft)}`),
  ...balances,
  amount('minimum_due_amount', (draft) => Math.round((draft.total - draft.paid) / 10)),
  choice('currency', ['SAR', 'SAR', 'AED', 'BHD', 'KWD', 'OMR']),
  businessDate('submitted_date', 0),
  businessDate('due_date', 60),
  number('delinquent_days_on_submission', (draft) => rollBelow(draft.stable, 180)),
  label('loan_type', LOAN_TYPES, 0.02, 'stable'),
  {
    ...label('status', ACCOUNT_STATUSES, 0.02, 'live'),
    otherwise: ({ accountStatuses }) =>
      accountStatuses === 'confirmed' ? label('status', ACCOUNT_STATUSES.slice(0, 1), 0.02, 'live') : null,
  },
  maybe('merchant_name', ['Example Electronics', 'Example Motors', 'متجر المثال'], 0.3),
  choice('lender_display_name', ['Example Lender']),
  createdAt,
  updatedAt,
];

const BUCKETS = [0, 1, 31, 61, 91, 121];

export const borrowerSubAccounts: readonly Field[] = [
  mongoKey,
  made('sub_account_reference_id', (draft) => `SUB-${year(draft)}-${10_000 + (draft.id >> 1)}-0${1 + (draft.id & 1)}`),
  ...balances,
  businessDate('submitted_date', 0),
  businessDate('due_date', 60),
  number('dpd_bucket_start', (draft) => BUCKETS[(mix(draft.salt, draft.id) + draft.version) % 6] as number),
  number('dpd_bucket_end', (draft) => (BUCKETS[(mix(draft.salt, draft.id) + draft.version) % 6] as number) + 29),
  createdAt,
  updatedAt,
];

export const borrowerAccountEvents: readonly Field[] = [
  eventKey,
  choice('channel', ['api', 'portal', 'phone']),
  choice('event', ['status_changed', 'payment_received', 'viewed']),
  made('ip_address', (draft) => `${1 + rollBelow(draft.stable, 222)}.${rollBelow(draft.stable, 256)}.0.0`),
  createdAt,
];
