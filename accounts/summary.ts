import { VERSION } from '../connector/version.ts';
import { asFailure, type FailureKind } from '../destinations/failure.ts';

/** What `push` and `reconcile` print to stdout as one line of JSON: counts are accounts, unless they say otherwise. */
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
  /** By our own clock, as all of the summary: the server's is not known before a login. */
  readonly startedAt: string;
  readonly counts: Counts;
  /** Whether all accounts came out as they should. */
  readonly good: boolean;
  /** What ended it before it was done, or null. */
  readonly thrown: unknown;
  readonly signal: AbortSignal;
}

export function summaryOf<Counts>({ thrown, signal, ...run }: Ending<Counts>): AccountsSummary<Counts> {
  const failure = thrown === null ? null : asFailure(signal.aborted ? signal.reason : thrown);
  const failed = failure !== null || !run.good;
  return {
    run_id: run.runId,
    command: run.command,
    version: VERSION,
    started_at: run.startedAt,
    ended_at: ourInstant(),
    status: failure !== null && signal.aborted ? 'stopped' : failed ? 'failed' : 'succeeded',
    ...run.counts,
    error: failure === null ? null : { kind: failure.kind, message: failure.message, request_id: failure.requestId },
  };
}

export const ourInstant = () => new Date().toISOString().replace('Z', '000Z');
