import { VERSION } from '../connector/version.ts';
import type { Failure, FailureKind } from '../destinations/failure.ts';

/**
 * What became of a `push` or a `reconcile`: what it prints to stdout as one line of JSON, and what `_cleargrid_runs` keeps. Counts are
 * accounts, unless they say otherwise.
 */
export type AccountsSummary<Counts> = {
  run_id: string;
  command: string;
  version: string;
  started_at: string;
  ended_at: string;
  status: 'succeeded' | 'failed' | 'stopped';
} & Counts & { error: { kind: FailureKind; message: string; request_id: string | null } | null };

export interface Ending<Counts> {
  readonly runId: string;
  readonly command: string;
  readonly startedAt: string;
  readonly endedAt: string;
  readonly counts: Counts;
  /** Whether all accounts came out as they should. */
  readonly good: boolean;
  /** What ended it before it was done, or null. */
  readonly failure: Failure | null;
  /** Whether it was asked to stop. */
  readonly stopped: boolean;
}

export function summaryOf<Counts>({ failure, stopped, good, ...run }: Ending<Counts>): AccountsSummary<Counts> {
  const failed = failure !== null || !good;
  return {
    run_id: run.runId,
    command: run.command,
    version: VERSION,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    status: failure !== null && stopped ? 'stopped' : failed ? 'failed' : 'succeeded',
    ...run.counts,
    error: failure === null ? null : { kind: failure.kind, message: failure.message, request_id: failure.requestId },
  };
}
