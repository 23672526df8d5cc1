import { CREATE, minorUnits, type PostedAccount } from './account-rules.ts';
import { ACCOUNT_STATUSES, LOAN_TYPES } from './shapes/accounts.ts';

/**
 * How a posted account shows in the exports. All of it is inferred: which references carry which ids, that amounts are
 * posted in major and exported in minor units, that payments go to principal, then interest, then fees, that an account is
 * the sum of its sub-accounts that are not withdrawn (of all, once all are), and that D03 keeps a withdrawn one's figures.
 */
export interface HeldSubAccount {
  readonly fields: PostedAccount;
  readonly isWithdrawn: boolean;
}

interface Figures {
  readonly total: number;
  readonly paid: number;
  readonly principal: number;
  readonly interest: number;
  readonly fee: number;
}

function figuresOf(fields: PostedAccount, currency: string): Figures {
  const [principal, interest, fee, paid] = [fields.principal, fields.interest, fields.fees, fields.paidAmount].map(
    (value) => minorUnits(value, currency),
  ) as [number, number, number, number];
  const overInterest = Math.max(0, paid - principal);
  const overFee = Math.max(0, overInterest - interest);
  return {
    total: principal + interest + fee,
    paid,
    principal: Math.max(0, principal - paid),
    interest: Math.max(0, interest - overInterest),
    fee: Math.max(0, fee - overFee),
  };
}

function balances({ total, paid, principal, interest, fee }: Figures) {
  return {
    total_amount: total,
    balance_amount: total - paid,
    actual_balance_amount: total - paid,
    paid_amount: paid,
    balance_principal_amount: principal,
    balance_interest: interest,
    balance_fee: fee,
  };
}

/** D03. `today` is DD/MM/YYYY. */
export function subAccountRecord({ fields }: HeldSubAccount, currency: string, today: string) {
  return {
    sub_account_reference_id: fields.subAccountId,
    ...balances(figuresOf(fields, currency)),
    ...(fields.status === CREATE && { submitted_date: today }),
    due_date: fields.dateDue ?? null,
    dpd_bucket_start: 0,
    dpd_bucket_end: 0,
  };
}

/** D02, from all sub-accounts that were ever posted under one `accountId`. */
export function accountRecord(held: readonly HeldSubAccount[], currency: string, today: string) {
  const active = held.filter(({ isWithdrawn }) => !isWithdrawn);
  const counted = active.length > 0 ? active : held;
  const figures = counted.map(({ fields }) => figuresOf(fields, currency));
  const sum = (name: keyof Figures) => figures.reduce((total, each) => total + each[name], 0);
  const { fields } = counted.at(-1) as HeldSubAccount;
  const all = {
    total: sum('total'),
    paid: sum('paid'),
    principal: sum('principal'),
    interest: sum('interest'),
    fee: sum('fee'),
  };
  const [inCollection, collected, withdrawn] = ACCOUNT_STATUSES;
  const settled = all.paid >= all.total ? collected : inCollection;
  return {
    account_reference_id: fields.accountId,
    customer_reference_id: fields.debtorCompanyId ?? null,
    reference_id: fields.accountId,
    ...balances(all),
    minimum_due_amount: all.total - all.paid,
    currency,
    ...(fields.status === CREATE && { submitted_date: today }),
    due_date: fields.dateDue ?? null,
    delinquent_days_on_submission: 0,
    loan_type: LOAN_TYPES[Number(fields.loanType) - 1] ?? null,
    status: active.length === 0 ? withdrawn : settled,
    merchant_name: fields.merchant ?? null,
  };
}
