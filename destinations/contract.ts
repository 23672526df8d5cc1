import type { Kinds } from '../schemas/kinds.ts';
import type { Mapping, RowValues } from '../schemas/row.ts';
import type { Stream } from '../schemas/stream.ts';
import type { Ledger } from './ledger.ts';
import type { PositionChange, Refresh } from './position.ts';

/**
 * The seam between the sync loop and the places that rows go to. A destination is a function that returns a `Destination`;
 * `test/destination-suite.ts` is this contract as code, and every destination passes it.
 *
 * Words: a page is one API response; a batch is rows of whole pages and the position that holds once they are written; a
 * commit writes a batch, rows and position together; a run is one execution of the connector.
 */
export interface Destination {
  /** The native type for each kind of column and what fits into it: rows are mapped for this record. */
  readonly kinds: Kinds;
  readonly batching: Batching;

  /**
   * Proves, by doing it, that tables can be created and written, and leaves nothing behind.
   *
   * @throws {Failure} `config_error` naming the missing right or wrong setting, `transient_error` when out of reach.
   */
  check(): Promise<void>;

  /**
   * Takes the locks of all these streams for this run, at once (where it is a task: together with the other tasks of as many, and with
   * nobody else), and brings their existing tables up to date: a column newly
   * declared is added, and filled from `_extra` in the same transaction (one for which no row has anything is warned of); nothing is
   * dropped or narrowed. Tables that do not exist yet are made by their first commit. Called until it succeeds once.
   *
   * @returns one table a stream, by the stream's name.
   * @throws {LockedFailure} when a lock is taken (after 5 s, which a dead run's lock may take to end); nothing is locked then.
   * @throws {StreamFailure} when a table cannot serve (a column narrowed by hand, another key without full refresh) or cannot be brought
   *   up to date; nothing is locked then, and `open` may be called again without that stream.
   */
  open(streams: readonly Stream[], run: Run): Promise<ReadonlyMap<string, Table>>;

  /** The positions as they are stored, without any lock and without creating anything: for people and for dry runs. */
  positions(): Promise<readonly StoredDocument[]>;

  /**
   * How many rows the stream's table has in each of these spans of the cursor field, to the microsecond, by one statement and without a lock.
   * Rows marked deleted do not count.
   *
   * @returns null where there is no table.
   */
  count(stream: Stream, spans: readonly Span[]): Promise<SpanCounts | null>;

  /**
   * The stored cursor values of the rows with these keys (values in the order of `primaryKey`), one for each key: null where the row has
   * none, undefined where there is no such row or it is marked deleted. Takes no lock.
   */
  cursors(stream: Stream, keys: readonly RowValues[]): Promise<readonly (string | null | undefined)[]>;

  readonly runs: Runs;

  /** The accounts that were sent to ClearGrid: for `push` and `reconcile`. */
  readonly ledger: Ledger;

  /**
   * The rows of one SELECT, streamed. Numbers of any size come as numbers where those say the same (`exactNumber`), else as text; so do
   * instants, dates and JSON.
   *
   * @throws {Failure} `config_error` when the statement is refused.
   */
  query(sql: string): AsyncIterable<Readonly<Record<string, unknown>>>;

  /** What this run has cost so far; null where jobs and bytes have no price. */
  costs(): Promise<RunCosts | null>;

  /**
   * How many bytes would be read to write a page like this one, by what the destination itself tells. Nothing is written or billed.
   *
   * @returns null where that has no price, or the stream has no table yet.
   */
  estimate(stream: Stream, page: Page): Promise<number | null>;

  /** Ends the locks and closes everything; a second call does nothing. */
  close(): Promise<void>;
}

/** A span `[since, until)` of a stream's cursor field. No `since`: from the first row. */
export interface Span {
  readonly since: string | null;
  readonly until: string;
}

export interface SpanCounts {
  /** How many rows each span has, in the order asked for. */
  readonly rows: readonly number[];
  /** Rows without a cursor value, which no span has. */
  readonly undated: number;
}

/** What a run costs where jobs and bytes have a price. */
export interface RunCosts {
  /** By the stream's name; of each stream that was opened. */
  readonly streams: ReadonlyMap<string, StreamCosts>;
  /** What a person should know of daily quotas, at as many runs a day as the last day had. */
  readonly warnings: readonly string[];
}

export interface StreamCosts {
  /** Load and query jobs. */
  readonly jobs: number;
  /** Of those, load jobs. */
  readonly loads: number;
  readonly bytesLoaded: number;
  readonly bytesBilled: number;
  /** Changes of the stream's own tables. */
  readonly modifications: number;
}

/** What a lane collects before it commits, whichever comes first, and how many commits of one stream may be under way at once. */
export interface Batching {
  readonly lanes: number;
  readonly rows: number;
  readonly bytes: number;
  readonly seconds: number;
  /** The bytes that pages of all streams may hold at once, asked for and in batches alike (rule 7). */
  readonly budget: number;
}

/** The run that opens a destination. */
export interface Run {
  readonly id: string;
  readonly command: string;
  /** Server-clock instant, like all instants `YYYY-MM-DDTHH:MM:SS.ffffffZ`. */
  readonly startedAt: string;
  /** How many tasks share its streams (`tasks.ts`), of which it is one; none: it has them to itself. */
  readonly tasks?: number;
  /** Streams (by name) that this run reads in full again: for these, another primary key than the table's is accepted. */
  readonly fullRefresh: ReadonlySet<string>;
  /** Takes what a person should know, of a stream or of the destination as a whole, and that stops nothing. */
  warn(message: string, stream?: string): void;
  /** Takes what is done to a stream's table and may take long. */
  note?(message: string, stream: string): void;
}

/**
 * One stream's table, held by this run. `commit` is called by up to `batching.lanes` lanes at once, and by a task with changes of the
 * position alone beside them; all else alone.
 */
export interface Table {
  /** The fencing token by which this run writes, greater than that of any before. Tasks that share the stream have one. */
  readonly token: string;

  position(): Promise<StoredPosition>;

  /**
   * Makes a page ready to be written, synchronously; called once for each page as it arrives. This is where a page is decoded:
   * what it throws makes the page a failed fetch, which is asked for again.
   */
  prepare(page: Page): Prepared;

  /**
   * Writes the batch: rows, rejects and then the position, durable together or (where there is no such transaction) in this
   * order. Of rows with one key the newest is kept: version column first (null lowest), then `_synced_at`; a row is replaced only by
   * a strictly greater version, and not written at all when nothing but the version of reading differs. A row marked deleted
   * always loses. While a refresh is open (`batch.refresh`), the first row of a key that this refresh brings replaces whatever is
   * stored, whatever its version; among the refresh's own rows newer wins; their keys are recorded as seen.
   *
   * What is transient is tried again inside. The records of a batch may come again at any time, prepared anew, and with them its
   * `changes`, where nobody learned that they are stored already: neither then changes anything. A prepared page is committed
   * once, successfully or not.
   *
   * @param taken called once the pages hold no memory any more, where that is before the end: what comes next may be read meanwhile.
   * @throws {Failure} when the batch was not written; the stored position is then as before. A run that lost its lock gets a
   *   `transient_error` and has written nothing.
   */
  commit(batch: Batch, taken?: () => void): Promise<Committed>;

  /**
   * Ends the open refresh: marks rows deleted whose key it has not seen and whose cursor value lies in `[since, until)`, forgets the
   * seen keys, sets the position's `refresh` to null, all in one transaction. Rows already marked, and rows without a cursor value, are left alone.
   * When more than half of the unmarked rows, and at least 100, would be marked and that is not allowed, nothing is changed.
   *
   * @throws {Failure} `system_error` when no refresh is open, `config_error` when the keys that it has seen are lost.
   */
  finishRefresh(request: FinishRefresh): Promise<FinishedRefresh>;
}

/** One API response of a stream, as it came. */
export interface Page {
  /** The response's body, until `prepare` returns: then another one may come to lie in the same memory. */
  readonly bytes: Uint8Array;
  /** Server-clock instant at which it was asked for. */
  readonly askedAt: string;
  /**
   * Where its records stand in `bytes`, from the first one's brace to behind the last one's, where they are known to be a list of at
   * least two; else null. That they are JSON is for `prepare` to find out, by `rows` or by itself.
   */
  readonly span: { readonly start: number; readonly end: number } | null;
  /** Its records mapped for this destination's kinds; made when asked for. @throws {SyntaxError} when the body is not JSON. */
  rows(): Mapping;
}

/** A page made ready by its table. */
export interface Prepared {
  /** How many records the page brought. */
  readonly records: number;
  /** Memory held until the commit, in bytes: what the budget is charged. */
  readonly bytes: number;
}

/** Rows of whole pages of one or more windows of one stream, and what changes in the position once they are written. */
export interface Batch<P extends Prepared = Prepared> {
  readonly pages: readonly P[];
  readonly changes: readonly PositionChange[];
  /** The refresh that is open once `changes` are applied, or null. */
  readonly refresh: Refresh | null;
}

/** What a commit did. */
export interface Committed {
  /** Rows inserted or replaced. */
  readonly written: number;
  /** The batch's other rows, rejects apart: the same or a newer one is there, or was in the batch. */
  readonly unchanged: number;
  /** Entries of `_changes` in the batch's rows. */
  readonly changedFields: number;
  readonly unparsedDates: number;
  /** Records that went to the rejects table, repeats of earlier ones included. */
  readonly rejects: number;
  /** Of those, rows that share a key but are not one row (`Stream.suspectKey`). */
  readonly repeatedKeys: number;
}

export interface FinishRefresh {
  readonly since: string | null;
  readonly until: string | null;
  /** Server-clock instant, the value of `_deleted_at`. */
  readonly at: string;
  readonly allowMassDelete: boolean;
  /** The part in the stream, of the task that asks; @throws {PartLost} when it has ended. */
  readonly part?: string;
}

export type FinishedRefresh = { readonly deleted: number } | { readonly held: number; readonly rows: number };

/** A stream's stored position and the facts to judge it by; the judgement is the connector's. */
export interface StoredPosition {
  /** The document's JSON text as stored, or null. */
  readonly document: string | null;
  /** The identity of the table that has the stream's name now, or null: never the same again once a table was made anew. */
  readonly table: string | null;
  readonly holdsRows: boolean;
}

export interface StoredDocument {
  readonly stream: string;
  readonly document: string;
  readonly runId: string;
  readonly updatedAt: string;
}

/** Run records, one a run, in `_cleargrid_runs`; and what runs have left in `_cleargrid_rejects`. */
export interface Runs {
  /** Records that a run has begun; the bookkeeping tables are made where missing. */
  begin(record: RunRecord): Promise<void>;
  /** Records how it ended. */
  end(record: RunRecord): Promise<void>;
  /** The last runs, newest first, without creating anything. */
  recent(limit: number): Promise<readonly RunRecord[]>;
  /** The rejects by stream and reason, without creating anything. @param runIds runs whose own are counted apart. */
  rejects(runIds: readonly string[]): Promise<readonly RejectCount[]>;
}

/** Records of one stream that were rejected for one reason. */
export interface RejectCount {
  readonly stream: string;
  readonly reason: string;
  readonly records: number;
  /** Of those, the ones that the runs in question were the first to bring. */
  readonly fresh: number;
  /** When the last of them came. */
  readonly seenAt: string;
}

export interface RunRecord {
  readonly runId: string;
  readonly command: string;
  readonly version: string;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly status: 'running' | 'succeeded' | 'failed' | 'stopped';
  /** The run's summary as a JSON value; null while it runs. */
  readonly summary: unknown;
}
