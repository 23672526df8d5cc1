import type { LedgerEntry } from '../../destinations/ledger.ts';
import { type Amount, add, fromMinorUnits, isEqual, parseAmount, ZERO } from '../amounts.ts';
import { STATUS } from '../assumptions.ts';
import type { Expected, SeenSubAccount } from './assumptions.ts';

type Fields = Readonly<Record<string, string>>;

const PARTS = ['principal', 'interest', 'fees'] as const;

/** What is in effect once all of these entries of one sub-account are, in the order in which they were accepted. */
export function expectedAfter(entries: readonly LedgerEntry[]): Expected {
  const fields: Fields = Object.assign({}, ...entries.map((entry) => entry.fields));
  const isCreated = entries.some((entry) => entry.fields.status === String(STATUS.create));
  const tellsTotal = PARTS.every((part) => fields[part] !== undefined) || (isCreated && fields.principal !== undefined);
  return {
    withdrawn: entries.at(-1)!.fields.status === String(STATUS.withdraw),
    total: tellsTotal ? PARTS.map((part) => parseAmount(fields[part] ?? '0')).reduce(add, ZERO) : null,
    paid: fields.paidAmount === undefined ? null : parseAmount(fields.paidAmount),
    due: fields.dateDue ?? null,
    loanType: fields.loanType ?? null,
  };
}

/** The fields of a sub-account's row that are not as expected. A withdrawn one's figures are not looked at. */
export function differences(expected: Expected, seen: SeenSubAccount, decimals: number): string[] {
  if (expected.withdrawn) return [];
  const differs: [string, boolean][] = [
    ['total_amount', expected.total !== null && !isAmount(seen.total, expected.total, decimals)],
    ['paid_amount', expected.paid !== null && !isAmount(seen.paid, expected.paid, decimals)],
    ['due_date', expected.due !== null && seen.due !== expected.due],
  ];
  return differs.filter(([, is]) => is).map(([field]) => field);
}

/** Whether minor units, as exported, are an amount in major units. */
export function isAmount(minorUnits: string | null, amount: Amount, decimals: number): boolean {
  return minorUnits !== null && isEqual(fromMinorUnits(minorUnits, decimals), amount);
}
