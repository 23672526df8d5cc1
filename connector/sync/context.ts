import type { Committed, Prepared, Table } from '../../destinations/contract.ts';
import type { Mapper } from '../../schemas/mapper.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { StreamEvent } from '../report.ts';
import type { Source } from '../source.ts';
import type { Timing } from '../timing.ts';
import type { Budget } from './budget.ts';
import type { Limiter } from './limiter.ts';
import type { TaskPart } from './part.ts';
import type { Patience } from './patience.ts';

/** What all streams of a run share. */
export interface RunContext {
  readonly source: Source;
  readonly timing: Timing;
  readonly limiter: Limiter;
  readonly budget: Budget;
  /** Aborted when the run is to stop; its reason is thrown by whatever waits. */
  readonly signal: AbortSignal;
}

/** One stream at work in a run. */
export interface StreamContext extends RunContext {
  readonly stream: Stream;
  readonly table: Table;
  readonly mapper: Mapper;
  readonly patience: Patience;
  readonly counts: Counts;
  /** Its part in the stream where it is one of several tasks; null: the run has the stream to itself. */
  readonly part: TaskPart | null;
  /** Called after each page and commit, and when the stream begins or ends to wait; `throttledMs` as in `StreamProgress`. */
  progressed(waiting: string | null, throttledMs?: number): void;
  /** Tells who measures what happens. */
  happened(event: StreamEvent): void;
}

/** What a stream has done so far in this run. */
export interface Counts {
  rowsRead: number;
  rowsDeleted: number;
  requests: number;
  retries: number;
  bytes: number;
  seconds: number;
  windows: number;
  committed: Committed;
}

export function newCounts(): Counts {
  return {
    rowsRead: 0,
    rowsDeleted: 0,
    requests: 0,
    retries: 0,
    bytes: 0,
    seconds: 0,
    windows: 0,
    committed: { written: 0, unchanged: 0, changedFields: 0, unparsedDates: 0, rejects: 0, repeatedKeys: 0 },
  };
}

/** Adds what a commit did. */
export function countCommit(counts: Counts, done: Committed): void {
  const sum = counts.committed;
  counts.committed = {
    written: sum.written + done.written,
    unchanged: sum.unchanged + done.unchanged,
    changedFields: sum.changedFields + done.changedFields,
    unparsedDates: sum.unparsedDates + done.unparsedDates,
    rejects: sum.rejects + done.rejects,
    repeatedKeys: sum.repeatedKeys + done.repeatedKeys,
  };
}

/** A page that has arrived whole and is ready to be written. */
export interface ReadyPage {
  readonly prepared: Prepared;
  readonly nextCursor: string | null;
  /** The cursor field's value in the page's first record that has one, or null. */
  readonly first: string | null;
  /** The same of its last record that has one. */
  readonly last: string | null;
  /** Gives the page's part of the budget back; a second call does nothing. */
  release(): void;
}
