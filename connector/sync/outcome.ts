import type { StreamCosts } from '../../destinations/contract.ts';
import type { Failure } from '../../destinations/failure.ts';
import type { StreamSummary, Summary } from '../summary.ts';
import { VERSION } from '../version.ts';
import { type Counts, newCounts } from './context.ts';
import type { Task } from './part.ts';

/** What a run is called in its summary and its record. */
export interface RunIdentity {
  readonly id: string;
  readonly command: string;
  readonly startedAt: string;
  /** Which of how many tasks it is, or null. */
  readonly task: Task | null;
}

/** A stream's part of the summary. */
export function streamSummary(
  stream: string,
  status: StreamSummary['status'],
  counts: Counts,
  complete: string | null,
  failure: Failure | null,
): StreamSummary {
  const { committed } = counts;
  return {
    stream,
    status,
    rows_read: counts.rowsRead,
    rows_written: committed.written,
    rows_unchanged: committed.unchanged,
    rows_deleted: counts.rowsDeleted,
    changed_fields: committed.changedFields,
    unparsed_dates: committed.unparsedDates,
    rejects: committed.rejects,
    requests: counts.requests,
    retries: counts.retries,
    bytes: counts.bytes,
    seconds: Math.round(counts.seconds * 1000) / 1000,
    complete,
    error: failure && { kind: failure.kind, message: failure.message, request_id: failure.requestId },
  };
}

/** The same with what it cost, where it cost anything. */
export function withCosts(summary: StreamSummary, costs: StreamCosts | undefined): StreamSummary {
  if (costs === undefined) return summary;
  return {
    ...summary,
    costs: {
      jobs: costs.jobs,
      load_jobs: costs.loads,
      bytes_loaded: costs.bytesLoaded,
      bytes_billed: costs.bytesBilled,
      table_modifications: costs.modifications,
    },
  };
}

/** The part of a stream that was not read at all. */
export function unreadSummary(stream: string, failure: Failure | null): StreamSummary {
  return streamSummary(stream, failure === null ? 'skipped' : 'failed', newCounts(), null, failure);
}

/** The run's summary. Stopped counts before failed: what failed then may only have been stopped. */
export function runSummary(
  run: RunIdentity,
  endedAt: string,
  streams: StreamSummary[],
  warnings: readonly string[],
): Summary {
  const has = (status: StreamSummary['status']) => streams.some((stream) => stream.status === status);
  return {
    run_id: run.id,
    command: run.command,
    ...(run.task && { task: `${run.task.index}/${run.task.count}` }),
    version: VERSION,
    started_at: run.startedAt,
    ended_at: endedAt,
    status: has('stopped') ? 'stopped' : has('failed') ? 'failed' : 'succeeded',
    streams,
    warnings: [...warnings],
  };
}
