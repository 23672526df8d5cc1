import { randomUUID } from 'node:crypto';
import type { Destination, Run, RunRecord, StoredDocument } from '../../destinations/contract.ts';
import { asFailure, StreamFailure } from '../../destinations/failure.ts';
import { PATIENCE_MS, unlessStuck } from '../abandon.ts';
import type { Api } from '../api/connect.ts';
import { linesOf, type Told } from '../causes.ts';
import type { Config } from '../config/schema.ts';
import { futureStart } from '../config/time.ts';
import type { Reporter } from '../report.ts';
import type { StreamSummary, Summary } from '../summary.ts';
import { systemTiming } from '../timing.ts';
import { VERSION } from '../version.ts';
import { refuseSecondLender } from './judge.ts';
import { type RunIdentity, runSummary, unreadSummary } from './outcome.ts';
import type { Task } from './part.ts';
import { type SelectedStream, selectStreams, unreadCatalog } from './selection.ts';

export interface RunOptions {
  readonly config: Config;
  readonly api: Api;
  /** The streams that the command line picks among the config's, or null: all of them. */
  readonly streams: readonly string[] | null;
  /** Which of how many tasks this run is, where they share the streams; none: it has them to itself. */
  readonly task?: Task;
  readonly reporter: Reporter;
}

/** A run that knows its streams, and has touched nothing yet. */
export interface BegunRun {
  readonly run: RunIdentity;
  /** The lender that is logged in. */
  readonly lender: string;
  /** Takes warnings down for the summary as well. */
  readonly reporter: Reporter;
  readonly selected: readonly SelectedStream[];
  /** Whether the catalog told which datasets are available; else each stream shows it when it is asked for. */
  readonly knowsAvailable: boolean;
  /** The summary, once these streams have ended; those that could not be read are in it too. */
  summarize(streams: readonly StreamSummary[]): Summary;
}

/** Begins a run of `command`: asks the catalog and selects the streams. @throws {Failure} for a refused setting. */
export async function beginRun(command: string, options: RunOptions): Promise<BegunRun> {
  const { config, api } = options;
  const warnings: string[] = [];
  const ofStreams: Told[] = [];
  const reporter: Reporter = {
    ...options.reporter,
    warning: (message, stream) => {
      if (stream === undefined) warnings.push(message);
      else ofStreams.push({ stream, message });
      options.reporter.warning(message, stream);
    },
  };

  const catalog = await api.catalog();
  const run: RunIdentity = { id: randomUUID(), command, startedAt: api.now(), task: options.task ?? null };
  if (catalog.datasets === null) {
    reporter.warning(unreadCatalog(catalog.problem));
  }
  const selection = selectStreams(config, options.streams, catalog.datasets);
  for (const warning of [...selection.warnings, ...futureStart(config.start_date, api.now())])
    reporter.warning(warning);

  const selected = selection.streams.filter(({ refused }) => refused === null);
  const unread = [
    ...selection.streams
      .filter(({ refused }) => refused !== null)
      .map(({ stream, refused }) => unreadSummary(stream.name, refused)),
    ...selection.skipped.map((name) => unreadSummary(name, null)),
  ];
  for (const summary of unread) if (summary.status === 'failed') reporter.streamEnded(summary, null);
  const summarize = (streams: readonly StreamSummary[]) =>
    runSummary(run, api.now(), [...streams, ...unread], [...warnings, ...linesOf(ofStreams)]);

  return { run, lender: api.lender, reporter, selected, knowsAvailable: catalog.datasets !== null, summarize };
}

/**
 * Opens all streams whose tables can serve. A table that cannot is its stream's failure and keeps no other from being read (rule 9);
 * the locks are still taken all at once, or not at all (rule 11).
 */
export async function openTables(
  destination: Destination,
  { run, lender, reporter, selected }: BegunRun,
  fullRefresh: ReadonlySet<string>,
) {
  const { id, command, startedAt, task } = run;
  const opening: Run = {
    ...{ id, command, startedAt, fullRefresh, warn: once(reporter.warning), note: once(reporter.notice) },
    ...(task && { tasks: task.count }),
  };
  const refused: StreamSummary[] = [];
  for (let opened = selected; ; ) {
    try {
      const tables = await destination.open(
        opened.map(({ stream }) => stream),
        opening,
      );
      const stored = documentsOf(await destination.positions());
      const taken = opened.filter(({ stream }) => {
        try {
          refuseSecondLender(stored, stream, lender);
          return true;
        } catch (error) {
          refused.push(unreadSummary(stream.name, asFailure(error)));
          return false;
        }
      });
      for (const summary of refused) reporter.streamEnded(summary, null);
      return { tables, opened: taken, refused };
    } catch (error) {
      if (!(error instanceof StreamFailure)) throw error;
      opened = opened.filter(({ stream }) => stream.name !== error.stream);
      refused.push(unreadSummary(error.stream, error));
    }
  }
}

/** Stored positions by their streams. */
export function documentsOf(positions: readonly StoredDocument[]): ReadonlyMap<string, string> {
  return new Map(positions.map(({ stream, document }) => [stream, document]));
}

/** What is opened again tells the same again. */
function once(tell: Run['warn']): Run['warn'] {
  const told = new Set<string>();
  return (message, stream) => {
    if (!told.has(message)) tell(message, stream);
    told.add(message);
  };
}

/**
 * Keeps the record of a run in the destination: that it has begun, and how it ended. Where the end cannot be recorded any more, the summary
 * says so, and is told all the same.
 */
export async function recorded(
  destination: Destination,
  { run: { id: runId, command, startedAt }, reporter }: Pick<BegunRun, 'run' | 'reporter'>,
  signal: AbortSignal,
  work: () => Promise<Summary>,
): Promise<Summary> {
  const begun: RunRecord = {
    ...{ runId, command, version: VERSION, startedAt },
    ...{ endedAt: null, status: 'running', summary: null },
  };
  await destination.runs.begin(begun);
  const summary = await work();
  try {
    const ending = destination.runs.end({ ...begun, endedAt: summary.ended_at, status: summary.status, summary });
    await unlessStuck(ending, signal, PATIENCE_MS.record, systemTiming);
    return summary;
  } catch (error) {
    const warning = `the end of this run could not be recorded, and status shows it as running: ${asFailure(error).message}`;
    reporter.warning(warning);
    return { ...summary, warnings: [...summary.warnings, warning] };
  }
}
