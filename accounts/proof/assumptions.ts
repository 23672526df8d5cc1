import type { Amount } from '../amounts.ts';
import { LOAN_TYPES } from '../assumptions.ts';

/**
 * How posted accounts show in the exports. No page says it; all of this is INFERRED, and stands here alone.
 *
 * - `accountId` is `account_reference_id` of the accounts (D02), `subAccountId` is `sub_account_reference_id` of the sub-accounts (D03). D03
 *   does not name its account; the ledger's pair of ids joins them.
 * - Amounts are posted in major units and exported in minor units of the account's `currency`, by ISO 4217.
 * - `total_amount` is principal, interest and fees; what was never said of a created sub-account is zero. `paid_amount` is `paidAmount`.
 * - An update changes what it says and leaves the rest.
 * - An account is the sum of its sub-accounts that are not withdrawn. Its `loan_type` is theirs, where they agree.
 * - What is withdrawn stays as a row. Once all of its sub-accounts are, an account is no longer in collection.
 * - A change in the background moves `updated_at`.
 */
export const ACCOUNTS = {
  stream: 'borrower_accounts',
  reference: 'account_reference_id',
  total: 'total_amount',
  currency: 'currency',
  loanType: 'loan_type',
  status: 'status',
} as const;

export const SUB_ACCOUNTS = {
  stream: 'borrower_sub_accounts',
  reference: 'sub_account_reference_id',
  total: 'total_amount',
  paid: 'paid_amount',
  due: 'due_date',
} as const;

/** The only label of a status that is documented; a label that arrives as a bare number tells nothing. */
export function isInCollection(status: string | null): boolean | null {
  if (status === null || /^\d+$/.test(status)) return null;
  return plain(status) === 'INCOLLECTION';
}

/** Not documented, and plain enough: what is not withdrawn does not say so. */
export const saysWithdrawn = (status: string | null): boolean => status !== null && /withdraw/i.test(status);

/** Labels are spelt unevenly, and a code without one arrives as its number. */
export function isLoanType(exported: string | null, code: string): boolean {
  const label = LOAN_TYPES[Number(code) - 1];
  return exported === code || (exported !== null && label !== undefined && plain(exported) === plain(label));
}

const plain = (label: string) => label.toUpperCase().replace(/[^A-Z0-9]/g, '');

/** How much earlier than our first try a change may be dated: by another clock of the API's. */
export const CLOCKS_APART_MS = 5 * 60_000;

/** How long the API may work on accounts before one that does not show is lost. */
export const LOST_AFTER_MS = 120_000;

/** A row of D02, as far as it proves anything. Instants are `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
export interface SeenAccount {
  readonly updatedAt: string | null;
  readonly total: string | null;
  readonly currency: string | null;
  readonly loanType: string | null;
  readonly status: string | null;
}

/** The same of D03. */
export interface SeenSubAccount {
  readonly updatedAt: string | null;
  readonly total: string | null;
  readonly paid: string | null;
  readonly due: string | null;
}

/** What is in effect after some entries of the ledger, as far as they say. */
export interface Expected {
  readonly withdrawn: boolean;
  /** Major units; null where the entries do not tell all parts. */
  readonly total: Amount | null;
  readonly paid: Amount | null;
  readonly due: string | null;
  readonly loanType: string | null;
}
