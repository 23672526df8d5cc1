import type { FailureKind } from '../destinations/failure.ts';

/** A run's outcome: what `sync` prints to stdout as one line of JSON, and what `_cleargrid_runs` keeps. */
export interface Summary {
  run_id: string;
  command: string;
  /** `0/4`: which of how many tasks the run was, where it was one of several. */
  task?: string;
  version: string;
  started_at: string;
  ended_at: string;
  status: 'succeeded' | 'failed' | 'stopped';
  streams: StreamSummary[];
  warnings: string[];
}

/** What became of one stream in a run. Counts are taken where the rows are written. */
export interface StreamSummary {
  stream: string;
  status: 'succeeded' | 'failed' | 'stopped' | 'skipped';
  /** Records that the API delivered, repeats included. */
  rows_read: number;
  rows_written: number;
  rows_unchanged: number;
  rows_deleted: number;
  /** Values that did not fit their column (see `_changes`). */
  changed_fields: number;
  /** Business dates that are no day: the text is kept, the column beside it is null. */
  unparsed_dates: number;
  rejects: number;
  requests: number;
  retries: number;
  bytes: number;
  /** How long it was at work; what it shared with other streams (login, catalog, waiting for its turn) is not in it. */
  seconds: number;
  /** Everything before this instant (by the cursor field) is in the table. */
  complete: string | null;
  error: { kind: FailureKind; message: string; request_id: string | null } | null;
  /** What `verify` found. */
  verify?: Verdict;
  /** What the stream cost at a destination where jobs and bytes have a price. */
  costs?: {
    jobs: number;
    load_jobs: number;
    bytes_loaded: number;
    bytes_billed: number;
    table_modifications: number;
  };
}

/** What `verify` found of a stream, in its span of the cursor field. */
export interface Verdict {
  verdict: 'equal' | 'differs';
  since: string | null;
  until: string;
  /** How many records the API has there, and how many rows the table; rows that have moved on since count on neither side. */
  api: number;
  table: number;
  /** Records of the API that are no rows of their own, but in the rejects table; of the spans that were read. */
  rejects: number;
  /** Rows of the table without a cursor value, which no span has. */
  undated: number;
  /** Where they differ; after a repair, where they still do. */
  spans: {
    since: string | null;
    until: string;
    /** Null where the API does not count that many. */
    api: number | null;
    table: number;
    missing: number;
    extra: number;
  }[];
  /** How many spans were read again. */
  repaired: number;
}
