import { ACCOUNTS, type SeenAccount, type SeenSubAccount, SUB_ACCOUNTS } from './assumptions.ts';
import type { ExportedRow } from './exports.ts';
import type { Seen } from './judge.ts';

/** The rows of the exports that have to do with the accounts in question: the newest of each, and of each no more than it proves. */
export interface Sightings {
  /** What takes the rows of each stream. */
  readonly streams: Readonly<Record<string, (row: ExportedRow) => void>>;
  of(accountId: string): Seen;
}

/** @param wanted ids of accounts and of sub-accounts: rows of others are let go of. */
export function createSightings(wanted: {
  readonly accounts: ReadonlySet<string>;
  readonly subAccounts: ReadonlySet<string>;
}): Sightings {
  const accounts = new Map<string, SeenAccount>();
  /** By reference. Nearly every list has one row; references are the lender's, and may repeat. */
  const subAccounts = new Map<string, (SeenSubAccount & { readonly key: string })[]>();

  function seeAccount(row: ExportedRow): void {
    const reference = row(ACCOUNTS.reference);
    if (reference === null || !wanted.accounts.has(reference)) return;
    const seen = {
      updatedAt: row('updated_at'),
      total: row(ACCOUNTS.total),
      currency: row(ACCOUNTS.currency),
      loanType: row(ACCOUNTS.loanType),
      status: row(ACCOUNTS.status),
    };
    if (isNewer(seen, accounts.get(reference))) accounts.set(reference, seen);
  }

  function seeSubAccount(row: ExportedRow): void {
    const reference = row(SUB_ACCOUNTS.reference);
    if (reference === null || !wanted.subAccounts.has(reference)) return;
    const seen = {
      key: row('public_id')!,
      updatedAt: row('updated_at'),
      total: row(SUB_ACCOUNTS.total),
      paid: row(SUB_ACCOUNTS.paid),
      due: row(SUB_ACCOUNTS.due),
    };
    const rows = subAccounts.get(reference) ?? [];
    const known = rows.findIndex(({ key }) => key === seen.key);
    if (known === -1) subAccounts.set(reference, [...rows, seen]);
    else if (isNewer(seen, rows[known])) rows[known] = seen;
  }

  return {
    streams: { [ACCOUNTS.stream]: seeAccount, [SUB_ACCOUNTS.stream]: seeSubAccount },
    of: (accountId) => ({
      account: accounts.get(accountId) ?? null,
      subAccounts: (subAccountId) => subAccounts.get(subAccountId) ?? [],
    }),
  };
}

/** Of two with the same instant the later one read. */
function isNewer(seen: { updatedAt: string | null }, other: { updatedAt: string | null } | undefined): boolean {
  return other === undefined || (seen.updatedAt ?? '') >= (other.updatedAt ?? '');
}
