import {
  amount,
  choice,
  createdAt,
  type Draft,
  dayAhead,
  type Field,
  flag,
  instant,
  maybe,
  number,
  state,
  updatedAt,
  uuidKey,
} from '../fields.ts';
import { mix, roll } from '../random.ts';

/** Between 2 and 12, the same for all versions of a record. */
const installments = (draft: Draft) => 2 + (mix(draft.salt, draft.id) % 11);
const settled = (draft: Draft) => mix(draft.salt, draft.id + draft.version) % 3 !== 0;

export const borrowerPayments: readonly Field[] = [
  uuidKey,
  amount('amount', (draft) => draft.total),
  amount('settled_amount', (draft) => (settled(draft) ? draft.total : 0)),
  choice('payment_type', ['PAID_TO_LENDER', 'PAID_TO_CLEARGRID']),
  state('payment_status', ['SUCCESS', 'SUCCESS', 'PENDING', 'FAILED']),
  { name: 'is_settled', kind: 'boolean', make: (draft) => String(settled(draft)) },
  flag('paid_before_submission', 0.1),
  instant('paid_date', (draft) => (settled(draft) ? draft.created - 1000 : null)),
  maybe('failure_reason', ['Insufficient funds', 'Card expired'], 0.9),
  createdAt,
  updatedAt,
];

export const borrowerPaymentPlans: readonly Field[] = [
  uuidKey,
  amount('total_amount', (draft) => draft.total),
  number('total_installments', installments),
  state('status', ['ACTIVE', 'COMPLETED', 'BROKEN']),
  choice('payment_gateway', ['HYPERPAY', 'CHECKOUT']),
  dayAhead('start_date', 10, 0.1),
  dayAhead('end_date', 300, 0.1),
  flag('is_active', 0.7),
  createdAt,
  updatedAt,
];

export const borrowerPaymentPlanInstallments: readonly Field[] = [
  uuidKey,
  number('number', installments),
  amount('amount', (draft) => draft.total),
  dayAhead('due_date', 90, 0.1),
  state('status', ['PAID', 'DUE', 'MISSED']),
  createdAt,
  updatedAt,
];

export const scheduledPayments: readonly Field[] = [
  uuidKey,
  amount('amount', (draft) => draft.total),
  dayAhead('scheduled_date', 30, 0.1),
  state('status', ['SCHEDULED', 'DONE', 'CANCELLED']),
  choice('payment_method', ['CARD', 'BANK_TRANSFER']),
  createdAt,
  updatedAt,
];

export const paymentProofs: readonly Field[] = [
  uuidKey,
  state('status', ['PENDING_REVIEW', 'APPROVED', 'REJECTED']),
  instant('reviewed_at', (draft) => (roll(draft.live) < 0.5 ? null : draft.updated)),
  createdAt,
  updatedAt,
];

export const borrowerSettlements: readonly Field[] = [
  uuidKey,
  state('status', ['ACTIVE', 'PAID', 'BROKEN']),
  choice('payment_type', ['INSTALLMENTS', 'LUMP_SUM']),
  maybe('hardship_reason', ['REDUCED_INCOME', 'MEDICAL'], 0.3),
  maybe('employment_status', ['EMPLOYED', 'UNEMPLOYED'], 0.3),
  amount('proposed_settlement_amount', (draft) => Math.round(draft.total * 0.8)),
  amount('down_payment', (draft) => Math.round(draft.total * 0.2)),
  amount('monthly_installment', (draft) => Math.round((draft.total * 0.6) / installments(draft))),
  number('number_of_installments', installments),
  amount('principal_amount', (draft) => draft.total),
  amount('write_off_amount', (draft) => draft.total - Math.round(draft.total * 0.8)),
  dayAhead('start_date', 10, 0.05),
  dayAhead('end_date', 200, 0.05),
  instant('paid_at', (draft) => (roll(draft.live) < 0.7 ? null : draft.updated)),
  flag('is_paid', 0.3),
  flag('is_active', 0.6),
  createdAt,
  updatedAt,
];

/** D24 and the other reserved datasets publish no fields; these stand in when a test opens one. */
export const undeclared: readonly Field[] = [
  uuidKey,
  dayAhead('promise_date', 30, 0.2),
  amount('promised_amount', (draft) => draft.total),
  state('status', ['OPEN', 'KEPT', 'BROKEN']),
  createdAt,
  updatedAt,
];
