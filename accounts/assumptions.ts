/**
 * What no public page says about the Accounts API, and this folder has to decide: one place to change once a real tenant has been
 * seen. How posted accounts show in the exports is in `proof/assumptions.ts`.
 *
 * UNKNOWN: which fields are required beside `status`. The schema requires `accountId` and `subAccountId` as well: they tell one account from
 * another here, in the ledger, and in the exports; without them nothing could be proven.
 */

/** UNKNOWN: how many accounts one request takes, or bytes. A request that the API calls too large (413) is halved. */
export const BATCH_LIMITS = { accounts: 500, bytes: 1_000_000 };

/** UNKNOWN: any limit of requests. Few at once, since the API works on them in the background anyway. */
export const BATCHES_AT_ONCE = 4;

/**
 * UNKNOWN: whether a 400 that names no account is ever a passing fault. One account alone is refused without a name only when the API
 * has said so this often.
 */
export const NAMELESS_REFUSALS = 3;

/** The published codes, by number. A ninth label (OverDraft) is known from the exports; its code is not published. */
export const LOAN_TYPES = [
  'CREDIT_CARD',
  'LEASE',
  'PERSONAL_LOAN',
  'BNPL',
  'CAR_RENTAL',
  'SUBSCRIPTION',
  'Charge Back',
  'SALARY_ADVANCE_LOAN',
] as const;

export const STATUS = { create: 1, update: 2, withdraw: 3 } as const;
