import type { AccountsOptions } from './accounts.ts';
import type { DatasetInfo } from './datasets.ts';
import type { FaultSetting } from './faults.ts';
import type { HistoryOptions } from './history.ts';

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
  /** Whether ids rise with the time of creation, as MongoDB's do (assumed), or come in no order. */
  readonly ids?: 'ordered' | 'random';
  /** Whether some records of D16 share their key, as its documentation lets one fear. */
  readonly sharedDealKeys?: boolean;
  /** What the catalog says of a dataset, over what is documented: another cursor field, a reserved dataset that opened. */
  readonly catalog?: Readonly<Record<string, Partial<DatasetInfo>>>;
  readonly faults?: readonly FaultSetting[];
  /** How long each answer takes, or from how long to how long. */
  readonly latencyMs?: number | readonly [number, number];
  /** How far the API's clock is ahead of the machine's. */
  readonly clockOffsetMs?: number;
  readonly tokenLifetimeMs?: number;
  readonly accounts?: AccountsOptions;
  readonly unknowns?: Partial<Unknowns>;
  /** Ends the start, which takes its time where there are many records. */
  readonly signal?: AbortSignal;
  /** Told now and then how many records have been made since. */
  readonly made?: (records: number) => void;
}

/** What the API's documentation leaves open, each with the assumption that holds unless a test picks another. */
export interface Unknowns {
  /**
   * Where the catalog's lists stand. `sections` (assumed): `body.sections[].datasets[]`; `datasets`: `body.datasets[]` with
   * the section in each; `rows`: as a page of a dataset, `body.rows[]`; `keyed`: `body.<section>.<dataset>`; `bare`: a
   * list without envelope.
   */
  catalogShape: 'sections' | 'datasets' | 'rows' | 'keyed' | 'bare';
  /** The keys in it: `datasetCode`, `cursorField` (assumed) or `code`, `cursor_field`. `available` is documented. */
  catalogKeys: 'long' | 'short';
  /** Datasets in one page of the catalog; assumed: all. */
  catalogPage: number;
  /** What follows `/admin/v3/lenders/{lenderPublicId}` in the catalog's path; assumed `/exports`. */
  catalogPath: string;
  /**
   * Whether a page cursor is only valid with the parameters it came from (`bound`, assumed, the strictest reading: a 500
   * otherwise) or with whatever is sent beside it (`free`).
   */
  cursor: 'bound' | 'free';
  /** Whether a full last page says that it is the last (`null`, assumed) or leads to an empty one (`live`). */
  lastCursor: 'null' | 'live';
  /** Pages of `via` datasets: some short, some empty with a live cursor (`ragged`, assumed), or all full. */
  viaPages: 'ragged' | 'full';
  /** What `body.meta` holds: the filter as understood (`filter`, assumed), nothing, or is not there at all. */
  meta: 'filter' | 'empty' | 'absent';
  /** `message` of a success; assumed `success`. */
  message: string | null;
  /** A bound that is no instant: 500 (assumed), no bound at all, or no rows. */
  badInstant: 'error' | 'ignored' | 'empty';
  /** Whether one bad account refuses its whole batch; assumed so. */
  badAccountRefusesBatch: boolean;
  /** The status of a login with wrong credentials; assumed 500, the only failure that is documented. */
  wrongCredentials: number;
  /** Whether a refresh also renews the refresh token; assumed not. */
  refreshRotates: boolean;
  /** From how many records on `includeTotal` is capped; assumed 100,000. */
  totalCap: number;
  /** Which bounds `includeTotal` asks for on `via` datasets, or it is `window_required`: `either` (documented) or `both` of them. */
  totalWindow: 'either' | 'both';
  /** Whether counting for `includeTotal` is too slow. */
  totalTimesOut: boolean;
}

export const ASSUMED: Unknowns = {
  catalogShape: 'sections',
  catalogKeys: 'long',
  catalogPage: Number.POSITIVE_INFINITY,
  catalogPath: '/exports',
  cursor: 'bound',
  lastCursor: 'null',
  viaPages: 'ragged',
  meta: 'filter',
  message: 'success',
  badInstant: 'error',
  badAccountRefusesBatch: true,
  wrongCredentials: 500,
  refreshRotates: false,
  totalCap: 100_000,
  totalWindow: 'either',
  totalTimesOut: false,
};
