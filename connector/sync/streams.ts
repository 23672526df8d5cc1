import pLimit from 'p-limit';
import type { Destination, Table } from '../../destinations/contract.ts';
import { asFailure, type Failure } from '../../destinations/failure.ts';
import { compileMapper } from '../../schemas/mapper.ts';
import type { Stream } from '../../schemas/stream.ts';
import { PATIENCE_MS, unlessStuck } from '../abandon.ts';
import type { Reporter } from '../report.ts';
import { advised, type Source } from '../source.ts';
import type { StreamSummary } from '../summary.ts';
import type { Timing } from '../timing.ts';
import { createBudget } from './budget.ts';
import { type Counts, newCounts, type RunContext, type StreamContext } from './context.ts';
import { createLimiter } from './limiter.ts';
import { streamSummary } from './outcome.ts';
import type { Task } from './part.ts';
import { pollMsOf } from './pass.ts';
import { createPatience, type Patience } from './patience.ts';
import { isSkipped, SKIPPED } from './selection.ts';
import { openRefresh, type StreamOptions, syncStream } from './stream.ts';
import { visitStream } from './visit.ts';

export interface SyncStreamsOptions {
  readonly streams: readonly { readonly stream: Stream; readonly lookBackMs: number }[];
  readonly tables: ReadonlyMap<string, Table>;
  readonly destination: Pick<Destination, 'kinds' | 'batching'>;
  readonly source: Source;
  readonly timing: Timing;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
  readonly concurrency: number;
  readonly streamsAtOnce: number;
  /** Which of how many tasks this run is, where they share the streams; none: it has them to itself. */
  readonly task?: Task;
  readonly startDate: string | null;
  readonly fullRefresh: boolean;
  readonly allowMassDelete: boolean;
  /** Whether the catalog has told that the streams are available; default true. If not, one that turns out not to be is skipped. */
  readonly knowsAvailable?: boolean;
  /** What is done with each stream; by default it is brought up to date. */
  readonly work?: StreamWork;
}

/** @returns what belongs to the stream's summary beside its counts, and what it failed with without having been kept from its end. */
export type StreamWork = (
  context: StreamContext,
  options: StreamOptions,
) => Promise<{ readonly summary: Pick<StreamSummary, 'verify'>; readonly failure: Failure | null }>;

/**
 * Brings all streams up to date, several at once, over one limit of requests and one budget of memory. What happens to one
 * stream stops no other.
 *
 * @returns one summary a stream, in the order given; never throws for what a stream threw.
 */
export async function syncStreams(options: SyncStreamsOptions): Promise<StreamSummary[]> {
  const { source, timing, signal } = options;
  const run: RunContext = {
    source,
    timing,
    signal,
    limiter: createLimiter(options.concurrency),
    budget: createBudget(options.destination.batching.budget),
  };
  const patience = createPatience(timing);
  const until = source.hasServerClock ? source.now() : null;
  const atOnce = pLimit(options.streamsAtOnce);
  if (options.task !== undefined) {
    const begun = inTurn(options.streams, options.task).map((entry) =>
      syncOne(options, run, patience, until, entry, atOnce),
    );
    return inOrderOf(options.streams, await Promise.all(begun));
  }
  if (options.fullRefresh) await openRefreshes(options, until);
  const alone: Turn = (work) => work();
  return Promise.all(
    options.streams.map((entry) => atOnce(() => syncOne(options, run, patience, until, entry, alone))),
  );
}

/** Runs a piece of work on a stream when the stream may have its turn. */
type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/** The streams in the order in which this task looks at them: each task begins with another one. */
function inTurn<T>(streams: readonly T[], { index, count }: Task): readonly T[] {
  const first = Math.floor((index * streams.length) / count);
  return [...streams.slice(first), ...streams.slice(0, first)];
}

function inOrderOf(streams: SyncStreamsOptions['streams'], summaries: readonly StreamSummary[]): StreamSummary[] {
  return streams.map(({ stream }) => summaries.find((summary) => summary.stream === stream.name)!);
}

/** Records the refresh of every stream before the first is read, so that none is forgotten when the run ends early. */
async function openRefreshes({ streams, tables, source, startDate, signal }: SyncStreamsOptions, until: string | null) {
  for (const { stream } of streams) {
    if (signal.aborted) return;
    // What keeps a stream from it is met again, and told, when the stream is read: it opens its refresh then, where none is open.
    await openRefresh(
      { stream, table: tables.get(stream.name)!, source, part: null },
      { since: startDate, until },
    ).catch(() => {});
  }
}

async function syncOne(
  options: SyncStreamsOptions,
  run: RunContext,
  patience: Patience,
  until: string | null,
  { stream, lookBackMs }: SyncStreamsOptions['streams'][number],
  turn: Turn,
): Promise<StreamSummary> {
  const { reporter, destination, signal } = options;
  const counts = newCounts();
  const began = run.timing.monotonic();
  let complete: string | null = null;
  const context: StreamContext = {
    ...run,
    stream,
    table: options.tables.get(stream.name)!,
    mapper: compileMapper(stream, destination.kinds),
    patience: patience.forStream(),
    counts,
    part: null,
    progressed: (waiting, throttledMs = 0) =>
      reporter.progress(stream.name, { ...progressOf(counts), waiting, ...(throttledMs > 0 && { throttledMs }) }),
    happened: (event) => reporter.happened(stream.name, event),
  };
  let failure: Failure | null = null;
  let more: Pick<StreamSummary, 'verify'> = {};
  try {
    signal.throwIfAborted();
    reporter.streamStarted(stream.name);
    const streamOptions: StreamOptions = {
      batching: destination.batching,
      startDate: options.startDate,
      lookBackMs,
      fullRefresh: options.fullRefresh,
      allowMassDelete: options.allowMassDelete,
      until,
      warn: (message) => reporter.warning(message, stream.name),
      moved: (position) => {
        complete = position.complete;
      },
    };
    const work = options.work ?? bringingUpToDate(options, turn);
    const working = work(context, streamOptions);
    ({ summary: more, failure } = await unlessStuck(working, signal, PATIENCE_MS.stream, run.timing));
    warnOfRepeatedKeys(reporter, stream, counts);
  } catch (error) {
    failure = advised(asFailure(error), 'Run again later: it goes on from what is committed.');
  }
  counts.seconds = (run.timing.monotonic() - began) / 1000;
  const stopped = failure !== null && signal.aborted;
  const skipped = isSkipped(failure, options);
  if (skipped) {
    reporter.warning(`${stream.name}: ${SKIPPED}`, stream.name);
    failure = null;
  }
  const status = stopped ? 'stopped' : failure ? 'failed' : skipped ? 'skipped' : 'succeeded';
  const summary: StreamSummary = {
    ...streamSummary(stream.name, status, counts, complete, stopped ? null : failure),
    ...more,
  };
  reporter.streamEnded(summary, stopped ? null : failure);
  return summary;
}

/** By one piece of work, or by as many visits as it takes the tasks of the job together. */
function bringingUpToDate({ task, concurrency }: SyncStreamsOptions, turn: Turn): StreamWork {
  return async (context, options) => {
    const visit = () => {
      context.signal.throwIfAborted();
      return visitStream(context, options, { count: task!.count, concurrency });
    };
    if (task === undefined) await turn(() => syncStream(context, options));
    else while (!(await turn(visit))) await context.timing.sleep(pollMsOf(options.batching), context.signal);
    return { summary: {}, failure: null };
  };
}

function progressOf(counts: Counts) {
  const { rowsRead, requests, bytes, windows, committed } = counts;
  return {
    ...{ rowsRead, rowsWritten: committed.written, rowsUnchanged: committed.unchanged, rejects: committed.rejects },
    ...{ requests, bytes, windows },
  };
}

function warnOfRepeatedKeys(reporter: Reporter, stream: Stream, counts: Counts): void {
  const repeated = counts.committed.repeatedKeys;
  if (repeated === 0 || stream.suspectKey === null) return;
  const override = JSON.stringify({ name: stream.name, primary_key: stream.suspectKey.suggest });
  reporter.warning(
    `${stream.name}: ${repeated} ${repeated === 1 ? 'row shares' : 'rows share'} a key with another row and went to the rejects table; ` +
      `to keep all, let its entry in stream_overrides be ${override} and run once with --full-refresh`,
    stream.name,
  );
}
