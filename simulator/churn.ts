import type { Faults } from './fault-turns.ts';
import type { Store } from './store.ts';

/** What happens to a dataset's records while its pages are being asked for. */
export interface Churn {
  /** Datasets by code; all of them when left out. */
  readonly codes?: readonly string[];
  /** At each so many-th page request of a dataset; default each. */
  readonly everyPages?: number;
  /** How many records change, appear, appear a minute late, disappear. */
  readonly changes?: number;
  readonly inserts?: number;
  readonly lateInserts?: number;
  readonly removals?: number;
}

const LATE_MS = 60_000;

export function createChurn(stores: ReadonlyMap<string, Store>, faults: Faults) {
  const running = new Set<Churn>();
  const pages = new Map<string, number>();

  function stir(store: Store, { changes = 0, inserts = 0, lateInserts = 0, removals = 0 }: Churn): void {
    if (changes > 0) store.change(Math.min(changes, store.size));
    if (inserts > 0) store.insert(inserts, 0);
    if (lateInserts > 0) store.insert(lateInserts, LATE_MS);
    if (removals > 0) store.remove(Math.min(removals, store.size));
  }

  return {
    start(churn: Churn): () => void {
      running.add(churn);
      return () => running.delete(churn);
    },
    onPage(code: string | null): void {
      const store = code === null ? undefined : stores.get(code);
      if (code === null || store === undefined) return;
      const count = (pages.get(code) ?? 0) + 1;
      pages.set(code, count);
      const standing: Churn[] = [
        ...(faults.holds('changing-rows') ? [{ everyPages: 3, changes: 5 }] : []),
        ...(faults.holds('late-inserts') ? [{ everyPages: 5, lateInserts: 2 }] : []),
      ];
      for (const churn of [...running, ...standing]) {
        const isMeant = churn.codes === undefined || churn.codes.includes(code);
        if (isMeant && count % (churn.everyPages ?? 1) === 0) stir(store, churn);
      }
    },
  };
}
