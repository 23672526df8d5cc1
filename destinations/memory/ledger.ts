import type { Ledger, LedgerEntry, LedgerRun } from '../ledger.ts';
import type { MemoryWarehouse } from './warehouse.ts';

const IN_EFFECT = new Set(['accepted', 'confirmed', 'differs']);
const UNPROVEN = new Set(['pending', 'accepted', 'differs', 'lost']);

/** @param lock takes the ledger's lock. */
export function memoryLedger({ pushes }: MemoryWarehouse, lock: (run: LedgerRun) => Promise<void>): Ledger {
  return {
    async hold(run) {
      await lock(run);
      const accepted = [...pushes.values()].flatMap(({ acceptedAt }) => acceptedAt ?? []);
      return accepted.sort().at(-1) ?? null;
    },
    async write(entries) {
      for (const entry of entries) pushes.set(`${entry.input} ${entry.line}`, entry);
    },
    async lines(input, first, last) {
      const isWanted = (entry: LedgerEntry) => entry.input === input && entry.line >= first && entry.line <= last;
      return [...pushes.values()].filter(isWanted).sort((a, b) => a.line - b.line);
    },
    async latest(lender, wanted) {
      return wanted.flatMap((account) => {
        const accepted = [...pushes.values()].filter(
          (entry) =>
            entry.lender === lender &&
            entry.accountId === account.accountId &&
            entry.subAccountId === account.subAccountId &&
            IN_EFFECT.has(entry.state) &&
            (entry.input !== account.input || entry.line < account.line),
        );
        return accepted.sort(inOrder).slice(-1);
      });
    },
    async *unproven(lender, since) {
      const own = [...pushes.values()].filter((entry) => entry.lender === lender && entry.state !== 'refused');
      const isWanted = ({ state, acceptedAt }: LedgerEntry) =>
        UNPROVEN.has(state) || (since !== null && acceptedAt !== null && acceptedAt >= since);
      const accounts = new Set(own.filter(isWanted).map(({ accountId }) => accountId));
      yield* own.filter(({ accountId }) => accounts.has(accountId)).sort(inOrder);
    },
  };
}

/** Above all instants. */
const LATER = '~';

function inOrder(a: LedgerEntry, b: LedgerEntry): number {
  return (
    compare(a.accountId, b.accountId) ||
    compare(a.subAccountId, b.subAccountId) ||
    compare(a.acceptedAt ?? LATER, b.acceptedAt ?? LATER) ||
    compare(a.input, b.input) ||
    a.line - b.line
  );
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
