import type { Ledger, LedgerEntry } from '../../destinations/ledger.ts';

/** The most entries that one write takes. */
const MOST = 10_000;

/** Writes entries, durable when it resolves. What comes while a write is under way goes together with the next one. */
export type Record = (entries: readonly LedgerEntry[]) => Promise<void>;

export function createRecorder(ledger: Pick<Ledger, 'write'>): Record {
  let waiting: LedgerEntry[] = [];
  let last: Promise<void> = Promise.resolve();
  let next: Promise<void> | null = null;

  return (entries) => {
    waiting.push(...entries);
    next ??= last
      .catch(() => {})
      .then(async () => {
        const together = waiting;
        waiting = [];
        last = next!;
        next = null;
        for (let at = 0; at < together.length; at += MOST) await ledger.write(together.slice(at, at + MOST));
      });
    return next;
  };
}
