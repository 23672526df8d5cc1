import { code as currencyCode } from 'currency-codes';
import type { LedgerEntry } from '../../destinations/ledger.ts';
import { add, fromMinorUnits, isLess, subtract, ZERO } from '../amounts.ts';
import { STATUS } from '../assumptions.ts';
import {
  type Expected,
  isInCollection,
  isLoanType,
  type SeenAccount,
  type SeenSubAccount,
  saysWithdrawn,
} from './assumptions.ts';
import { differences, expectedAfter, isAmount } from './expected.ts';

/** What the exports show of an account and of its sub-accounts. */
export interface Seen {
  readonly account: SeenAccount | null;
  /** The rows of a sub-account by its reference; more than one where lenders' accounts share one. */
  subAccounts(subAccountId: string): readonly SeenSubAccount[];
}

export type Verdict =
  | { readonly state: 'confirmed' }
  | { readonly state: 'differs'; readonly fields: readonly string[] }
  /** Nothing that came since shows it. */
  | { readonly state: 'missing' };

const CONFIRMED: Verdict = { state: 'confirmed' };
const MISSING: Verdict = { state: 'missing' };

/** A sub-account, with what the ledger says of it. */
interface SubAccount {
  readonly entries: readonly LedgerEntry[];
  readonly expected: Expected;
  /** Of its last entry. */
  verdict: Verdict;
  /** How many of its first entries have shown, where the last has not. */
  shown: number;
}

/**
 * Judges all that was sent of one account against the exports.
 *
 * @param entries of one `accountId`, together by sub-account, in the order in which they were accepted.
 */
export function judgeAccount(entries: readonly LedgerEntry[], seen: Seen): Map<LedgerEntry, Verdict> {
  const groups = [...Map.groupBy(entries, ({ subAccountId }) => subAccountId).values()];
  const decimals = seen.account?.currency ? (currencyCode(seen.account.currency)?.digits ?? null) : null;
  // An account shows one loan type: where its sub-accounts' differ, it proves none of them.
  const loanTypes = new Set(groups.map((group) => expectedAfter(group)).flatMap(({ loanType }) => loanType ?? []));
  const subs = groups.map((group) => judgeRows(group, seen, decimals, loanTypes.size === 1));
  if (seen.account !== null && decimals !== null) judgeSums(subs, seen.account, seen, decimals);
  return new Map(
    subs.flatMap((sub) => sub.entries.map((entry, at) => [entry, at < sub.shown ? CONFIRMED : sub.verdict] as const)),
  );
}

/** By the sub-account's own row. */
function judgeRows(
  entries: readonly LedgerEntry[],
  seen: Seen,
  decimals: number | null,
  showsLoanType: boolean,
): SubAccount {
  const last = entries.at(-1)!;
  const judged = (verdict: Verdict, shown = 0): SubAccount => ({
    entries,
    expected: expectedAfter(entries),
    verdict,
    shown,
  });
  const rows = seen.subAccounts(last.subAccountId);
  if (rows.length === 0 || seen.account === null) return judged(MISSING);
  if (decimals === null) return judged({ state: 'differs', fields: ['currency'] });

  const found = (upTo: number) => {
    const expected = expectedAfter(entries.slice(0, upTo));
    return rows.map((row) => differences(expected, row, decimals)).sort((a, b) => a.length - b.length)[0]!;
  };
  const ofAccount = accountDifferences(last, expectedAfter(entries), seen.account, showsLoanType);
  const differs = [...found(entries.length), ...ofAccount];
  if (differs.length === 0) return judged(CONFIRMED);
  // What an earlier entry brought stands unchanged: the last one has not come.
  for (let upTo = entries.length - 1; upTo > 0; upTo--) {
    const isWithdrawal = entries[upTo - 1]!.fields.status === String(STATUS.withdraw);
    if (!isWithdrawal && found(upTo).length === 0) return judged(MISSING, upTo);
  }
  return judged(rows.some((row) => isSince(row, last)) ? { state: 'differs', fields: differs } : MISSING);
}

function accountDifferences(
  { fields }: LedgerEntry,
  { withdrawn }: Expected,
  account: SeenAccount,
  showsLoanType: boolean,
): string[] {
  if (withdrawn) return [];
  const isOther = showsLoanType && fields.loanType !== undefined && !isLoanType(account.loanType, fields.loanType);
  return [...(isOther ? ['loan_type'] : []), ...(saysWithdrawn(account.status) ? ['status'] : [])];
}

/** By the account's row: withdrawals, which no row of a sub-account shows, and the sum of what is left. */
function judgeSums(subs: readonly SubAccount[], account: SeenAccount, seen: Seen, decimals: number): void {
  const withdrawn = subs.filter(({ expected, verdict }) => expected.withdrawn && verdict.state === 'confirmed');
  const active = subs.filter(({ expected }) => !expected.withdrawn);
  if (!active.every(({ verdict }) => verdict.state === 'confirmed')) return;
  if (active.length === 0 && isInCollection(account.status) === false) return;
  if (!subs.every(isWhole)) {
    // Others may belong to the account: only that something touched the row speaks for its withdrawal.
    for (const sub of withdrawn) {
      const last = sub.entries.at(-1)!;
      if (!seen.subAccounts(last.subAccountId).some((row) => isSince(row, last))) setMissing(sub);
    }
    return;
  }
  if (active.length === 0) {
    if (isInCollection(account.status) === true) for (const sub of withdrawn) setMissing(sub);
    return;
  }
  const sum = active.map(({ expected }) => expected.total!).reduce(add, ZERO);
  if (isAmount(account.total, sum, decimals)) return;
  const excess = subtract(account.total === null ? ZERO : fromMinorUnits(account.total, decimals), sum);
  const outstanding = withdrawn.map(({ expected }) => expected.total!).reduce(add, ZERO);
  const isOutstanding = withdrawn.length > 0 && excess.digits > 0n && !isLess(outstanding, excess);
  for (const sub of isOutstanding ? withdrawn : subs) {
    const last = sub.entries.at(-1)!;
    if (isOutstanding || !isSince(account, last)) setMissing(sub);
    else sub.verdict = { state: 'differs', fields: ['total_amount of the account'] };
  }
}

/** Whether the ledger tells all of a sub-account: it was created here, and its total is known. */
function isWhole({ entries, expected }: SubAccount): boolean {
  return expected.total !== null && entries.some(({ fields }) => fields.status === String(STATUS.create));
}

/** What came before the last entry has shown, if it is what the row holds. */
function setMissing(sub: SubAccount): void {
  sub.verdict = MISSING;
  sub.shown = sub.entries.length - 1;
}

function isSince({ updatedAt }: { readonly updatedAt: string | null }, { pendingAt }: LedgerEntry): boolean {
  return updatedAt !== null && updatedAt >= pendingAt;
}
