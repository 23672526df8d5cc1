import type { Clock } from './clock.ts';
import { DATASETS, type DatasetInfo } from './datasets.ts';
import type { SimulatorOptions } from './options.ts';
import { atOnce, type Steps } from './steps.ts';
import { createStore, type Store } from './store.ts';
import type { Unknowns } from './unknowns.ts';

const DAY = 86_400_000;

export interface Stores {
  readonly all: ReadonlyMap<string, Store>;
  /** @throws {Error} when the dataset is reserved and has not been opened. */
  of(code: string): Store;
  /** Gives a dataset its records, if it has none yet. */
  open(code: string): void;
}

/** The records of all datasets that are documented as available, in steps; reserved ones get theirs when they are opened. */
export function* createStores(options: SimulatorOptions, unknowns: Unknowns, clock: Clock): Steps<Stores> {
  const { rows = 1000, seed = 1, history = {}, difficult = false } = options;
  // A fixed end within the day: restarted, the simulator has the same records.
  const historyEndMs = history.end === undefined ? (Math.floor(clock.ms() / DAY) - 1) * DAY : Date.parse(history.end);
  const all = new Map<string, Store>();

  function* open(info: DatasetInfo): Steps<void> {
    if (all.has(info.code)) return;
    const count = typeof rows === 'number' ? rows : (rows[info.code] ?? 0);
    all.set(
      info.code,
      yield* createStore({ info, rows: count, seed, history, historyEndMs, clock, difficult, unknowns }),
    );
  }

  for (const info of DATASETS) if (info.available) yield* open(info);
  return {
    all,
    of(code) {
      const store = all.get(code);
      if (store === undefined) throw new Error(`The simulator has no records of dataset ${code}.`);
      return store;
    },
    open(code) {
      const info = DATASETS.find((dataset) => dataset.code === code);
      if (info !== undefined) atOnce(open(info));
    },
  };
}
