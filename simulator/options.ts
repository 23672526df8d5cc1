import type { AccountsOptions } from './accounts.ts';
import type { DatasetInfo } from './datasets.ts';
import type { FaultSetting } from './faults.ts';
import type { HistoryOptions } from './history.ts';
import type { Unknowns } from './unknowns.ts';

/** Everything about a simulated API that may differ; every part has a default. */
export interface SimulatorOptions {
  /** 0, the default, takes any free port. */
  readonly port?: number;
  readonly host?: string;
  /** Records of each dataset, or of each by its code (others are then empty); default 1,000. */
  readonly rows?: number | Readonly<Record<string, number>>;
  /** The same seed and history give the same records. */
  readonly seed?: number;
  readonly lender?: string;
  readonly email?: string;
  readonly password?: string;
  readonly lenderPublicId?: string;
  readonly history?: HistoryOptions;
  /** Whether every third record holds a value that is hard to land; see `difficult.ts`. */
  readonly difficult?: boolean;
  /** What the catalog says of a dataset, over what is documented: another cursor field, a reserved dataset that opened. */
  readonly catalog?: Readonly<Record<string, Partial<DatasetInfo>>>;
  readonly faults?: readonly FaultSetting[];
  /** How long each answer takes, or from how long to how long. */
  readonly latencyMs?: number | readonly [number, number];
  /** How far the API's clock is ahead of the machine's. */
  readonly clockOffsetMs?: number;
  readonly accounts?: AccountsOptions;
  /** Other assumptions than those of `unknowns.ts`. */
  readonly unknowns?: Partial<Unknowns>;
  /** Ends the start, which takes its time where there are many records. */
  readonly signal?: AbortSignal;
  /** Told now and then how many records have been made since. */
  readonly made?: (records: number) => void;
}
