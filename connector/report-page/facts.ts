import type { RejectCount, RunRecord } from '../../destinations/contract.ts';
import { type Job, summaryOf, warningsOf } from '../commands/jobs.ts';
import type { StatusReport, Stored, StreamStatus } from '../commands/status-report.ts';
import type { StreamSummary } from '../summary.ts';

/** What is on the page, as plain values: nothing here knows how it is drawn. */

/** How many runs are shown: a day of an hourly schedule. */
const RUNS_SHOWN = 24;

export interface PageFacts {
  readonly status: StatusReport;
  /** Runs of `sync`, newest first; the tasks of a job are one. */
  readonly runs: readonly RunFacts[];
  /** Seconds from one run's start to the next, as a rule; null where too few are known. */
  readonly interval: number | null;
  readonly streams: readonly StreamFacts[];
  /** What the latest run that ended said to a person. */
  readonly warnings: readonly string[];
}

export interface RunFacts extends RunNumbers {
  readonly run_id: string;
  /** Those of its tasks, where it is of several. */
  readonly run_ids: readonly string[];
  readonly started_at: string;
  readonly status: RunRecord['status'] | 'skipped';
}

/** What one run, or one stream in it, did. */
export interface RunNumbers {
  /** Null where it is not recorded: a run that is at work, or one of an earlier version. */
  readonly seconds: number | null;
  readonly rowsRead: number;
  readonly rowsWritten: number;
  readonly rowsUnchanged: number;
  readonly rowsDeleted: number;
  readonly changedFields: number;
  readonly rejects: number;
  readonly requests: number;
  readonly retries: number;
  readonly bytes: number;
}

export interface StreamFacts {
  readonly stream: string;
  readonly status: StreamStatus;
  /** Newest first. */
  readonly runs: readonly RunFacts[];
  readonly rejects: readonly RejectCount[];
}

/** Puts together what is stored. Old and foreign run records are taken as far as they go. */
export function pageFacts(status: StatusReport, { runs }: Stored, rejects: readonly RejectCount[]): PageFacts {
  const syncs = runs.filter(({ command }) => command === 'sync');
  const ended = syncs.find(({ summary }) => summary !== null);
  return {
    status,
    runs: syncs.slice(0, RUNS_SHOWN).map(runFacts),
    interval: usualInterval(syncs),
    streams: status.streams.map((stream) => ({
      stream: stream.stream,
      status: stream,
      runs: streamRuns(stream.stream, syncs),
      rejects: rejects.filter((group) => group.stream === stream.stream),
    })),
    warnings: ended === undefined ? [] : warningsOf(ended),
  };
}

/** Rows read a second, where that can be said. */
export function speed({ rowsRead, seconds }: RunNumbers): number | null {
  return seconds === null || seconds <= 0 ? null : rowsRead / seconds;
}

function runFacts(run: Job): RunFacts {
  const numbers = summaryOf(run).map(numbersOf);
  const sum = (key: keyof RunNumbers) => numbers.reduce((total, one) => total + (one[key] ?? 0), 0);
  return {
    ...identity(run),
    status: run.status,
    seconds: run.endedAt === null ? null : (Date.parse(run.endedAt) - Date.parse(run.startedAt)) / 1000,
    rowsRead: sum('rowsRead'),
    rowsWritten: sum('rowsWritten'),
    rowsUnchanged: sum('rowsUnchanged'),
    rowsDeleted: sum('rowsDeleted'),
    changedFields: sum('changedFields'),
    rejects: sum('rejects'),
    requests: sum('requests'),
    retries: sum('retries'),
    bytes: sum('bytes'),
  };
}

const identity = ({ runId, runs, startedAt }: Job) => ({
  ...{ run_id: runId, run_ids: runs.map((run) => run.runId), started_at: startedAt },
});

function streamRuns(stream: string, syncs: readonly Job[]): RunFacts[] {
  return syncs
    .flatMap((run) => {
      const found = summaryOf(run).find((summary) => summary.stream === stream && summary.status !== 'skipped');
      if (found === undefined) return [];
      return [{ ...identity(run), status: found.status, ...numbersOf(found) }];
    })
    .slice(0, RUNS_SHOWN);
}

function numbersOf(summary: Partial<StreamSummary>): RunNumbers {
  return {
    seconds: summary.seconds ?? null,
    rowsRead: summary.rows_read ?? 0,
    rowsWritten: summary.rows_written ?? 0,
    rowsUnchanged: summary.rows_unchanged ?? 0,
    rowsDeleted: summary.rows_deleted ?? 0,
    changedFields: summary.changed_fields ?? 0,
    rejects: summary.rejects ?? 0,
    requests: summary.requests ?? 0,
    retries: summary.retries ?? 0,
    bytes: summary.bytes ?? 0,
  };
}

/** The median: a run by hand in between, or a night without runs, does not count. */
function usualInterval(syncs: readonly Job[]): number | null {
  const starts = syncs.map(({ startedAt }) => Date.parse(startedAt) / 1000);
  const gaps = starts.slice(1).map((start, at) => starts[at]! - start);
  return gaps.length < 2 ? null : gaps.sort((a, b) => a - b)[Math.floor(gaps.length / 2)]!;
}
