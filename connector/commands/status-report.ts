import type { Destination, RunRecord, StoredDocument } from '../../destinations/contract.ts';
import { asFailure, LockedFailure } from '../../destinations/failure.ts';
import { STREAMS, streamNamed } from '../../schemas/registry.ts';
import type { Config } from '../config/schema.ts';
import { lookBackMs } from '../config/streams.ts';
import type { StreamSummary, Verdict } from '../summary.ts';
import { judgeDocument, parsePosition } from '../sync/judge.ts';
import { asConfigured } from '../sync/selection.ts';
import { type Job, jobsOf, summaryOf } from './jobs.ts';

/** How many runs are looked back over for a stream's last run and last error; those of tasks are one together. */
const RUNS = 100;
const MOST_RECORDS = 2_000;

/** What `status --json` prints; instants are UTC, spans are seconds. */
export interface StatusReport {
  readonly destination: string;
  /** Why the destination tells nothing now (another run has it to itself), or null. */
  readonly busy: string | null;
  readonly last_run: RunStatus | null;
  readonly streams: readonly StreamStatus[];
}

export interface RunStatus {
  readonly run_id: string;
  readonly command: string;
  /** `running` is also what a run that was killed has left. */
  readonly status: RunRecord['status'];
  readonly started_at: string;
  readonly ended_at: string | null;
  /** Of how many tasks it is, which are told as one run; null: it was alone. */
  readonly tasks: number | null;
}

export interface StreamStatus {
  readonly stream: string;
  /** Everything before this instant is in the table. */
  readonly complete: string | null;
  /** From `complete` to now, by this machine's clock. */
  readonly lag_seconds: number | null;
  /** Windows that are not read to their end. */
  readonly windows_left: number;
  /** The pass of a full refresh that is not finished, or null. */
  readonly refresh_pass: number | null;
  /** Why the next sync would refuse the stored position, and what settles it; or null. */
  readonly problem: string | null;
  readonly last_run:
    | (RunStatus & Pick<StreamSummary, 'rows_read' | 'rows_written' | 'rows_deleted' | 'rejects'>)
    | null;
  /** What `verify` said the last time; it stands until it says otherwise, whatever runs came since. */
  readonly last_verify: LastVerdict | null;
  /** That a table differs is not among them. */
  readonly last_error: (NonNullable<StreamSummary['error']> & { at: string; run_id: string }) | null;
  /**
   * Set where rows are found by something else than when they changed: a change that comes later than this after it is seen by
   * the next full refresh.
   */
  readonly changes_seen_within_seconds: number | null;
  readonly cursor: string | null;
}

export interface LastVerdict extends Pick<Verdict, 'verdict' | 'api' | 'table'> {
  readonly at: string;
  readonly run_id: string;
}

/** Asks the destination, without a lock and without making anything, how far each stream is. */
export async function statusReport(
  config: Config,
  destination: Destination,
  name: string,
  now: Date,
): Promise<StatusReport> {
  return statusOf(await readStored(destination), config, name, now);
}

/** What the destination has stored, as people are told of it. */
export interface Stored {
  readonly documents: readonly StoredDocument[];
  /** The last runs, newest first. */
  readonly runs: readonly Job[];
  /** Why it tells nothing now, or null. */
  readonly busy: string | null;
}

/** How far each stream is, by what is stored. */
export function statusOf({ documents, runs, busy }: Stored, config: Config, name: string, now: Date): StatusReport {
  const names = new Set([
    ...(config.streams ?? STREAMS.map((stream) => stream.name)),
    ...documents.map((document) => document.stream),
    ...runs.flatMap((run) => summaryOf(run).map((summary) => summary.stream)),
  ]);
  return {
    destination: name,
    busy,
    last_run: runs[0] === undefined ? null : runStatus(runs[0]),
    streams: busy === null ? [...names].map((stream) => streamStatus(stream, config, documents, runs, now)) : [],
  };
}

/** Reads it without a lock and without making anything. */
export async function readStored(destination: Destination): Promise<Stored> {
  try {
    return { documents: await destination.positions(), runs: await recentJobs(destination), busy: null };
  } catch (error) {
    if (!(error instanceof LockedFailure)) throw error;
    return { documents: [], runs: [], busy: error.message };
  }
}

/** The oldest job of tasks is left out where some of its records may be. */
async function recentJobs({ runs }: Pick<Destination, 'runs'>): Promise<Job[]> {
  let limit = RUNS;
  let records = await runs.recent(limit);
  const tasks = Math.max(...jobsOf(records).map((job) => job.tasks ?? 1));
  if (tasks > 1 && records.length === limit) {
    limit = Math.min(RUNS * tasks, MOST_RECORDS);
    records = await runs.recent(limit);
  }
  const jobs = jobsOf(records);
  const isCut = records.length === limit && jobs.length > 1 && jobs.at(-1)!.tasks !== null;
  return isCut ? jobs.slice(0, -1) : jobs;
}

function streamStatus(
  name: string,
  config: Config,
  documents: readonly StoredDocument[],
  runs: readonly Job[],
  now: Date,
): StreamStatus {
  const declared = streamNamed(name);
  const document = documents.find((entry) => entry.stream === name)?.document ?? null;
  const parsed = document === null ? null : parsePosition(document);
  const position = parsed !== null && 'position' in parsed ? parsed.position : null;
  const complete = position?.complete ?? null;
  return {
    stream: name,
    complete,
    lag_seconds: complete === null ? null : Math.max(0, (now.getTime() - Date.parse(complete)) / 1000),
    windows_left: position?.windows.length ?? 0,
    refresh_pass: position?.refresh?.pass ?? null,
    problem: document === null ? problemWithNone(name, runs) : problemWith(document, name, config),
    last_run: lastRun(name, runs),
    last_verify: lastVerdict(name, runs),
    last_error: lastError(name, runs),
    changes_seen_within_seconds:
      declared === null || declared.cursor === declared.version ? null : lookBackMs(config, declared) / 1000,
    cursor: declared?.cursor ?? null,
  };
}

/** What a sync says of the document when it begins, apart from what only a login or a look at the table can tell. */
function problemWith(document: string, name: string, config: Config): string | null {
  try {
    const stream = streamNamed(name);
    const parsed = parsePosition(document);
    if (stream !== null) judgeDocument(document, asConfigured(stream, config), null, false);
    else if ('problem' in parsed) return parsed.problem;
    return null;
  } catch (error) {
    return asFailure(error).message.replace(`${name}: `, '');
  }
}

/** A stream that was read has a position, until somebody takes it away. */
function problemWithNone(name: string, runs: readonly Job[]): string | null {
  const read = runs.some((run) =>
    summaryOf(run).some(({ stream, complete }) => stream === name && typeof complete === 'string'),
  );
  if (!read) return null;
  return (
    'it was read before, and its position is gone. To read it again in full and keep its table, run: ' +
    `cleargrid-connector sync --config FILE --streams ${name} --full-refresh`
  );
}

function lastRun(stream: string, runs: readonly Job[]): StreamStatus['last_run'] {
  for (const run of runs) {
    if (run.command === 'verify') continue;
    const found = summaryOf(run).find((summary) => summary.stream === stream && summary.status !== 'skipped');
    if (found === undefined) continue;
    const { rows_read, rows_written, rows_deleted, rejects, status } = found;
    return {
      ...runStatus(run),
      status: status === 'skipped' ? run.status : status,
      rows_read,
      rows_written,
      rows_deleted,
      rejects,
    };
  }
  return null;
}

function lastError(stream: string, runs: readonly Job[]): StreamStatus['last_error'] {
  for (const run of runs) {
    const { error, verify } = summaryOf(run).find((summary) => summary.stream === stream) ?? {};
    if (error && verify === undefined) return { ...error, at: run.endedAt ?? run.startedAt, run_id: run.runId };
  }
  return null;
}

function lastVerdict(stream: string, runs: readonly Job[]): LastVerdict | null {
  for (const run of runs) {
    const found = summaryOf(run).find((summary) => summary.stream === stream)?.verify;
    if (found === undefined) continue;
    const { verdict, api, table } = found;
    return { verdict, api, table, at: run.endedAt ?? run.startedAt, run_id: run.runId };
  }
  return null;
}

function runStatus(run: Job): RunStatus {
  return {
    run_id: run.runId,
    command: run.command,
    status: run.status,
    started_at: run.startedAt,
    ended_at: run.endedAt,
    tasks: run.tasks,
  };
}
