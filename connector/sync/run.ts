import { randomUUID } from 'node:crypto';
import type { Destination, Run, RunRecord } from '../../destinations/contract.ts';
import { StreamFailure } from '../../destinations/failure.ts';
import type { Api } from '../api/connect.ts';
import { linesOf, type Told } from '../causes.ts';
import type { Config } from '../config/schema.ts';
import { futureStart } from '../config/time.ts';
import type { Reporter } from '../report.ts';
import type { StreamSummary, Summary } from '../summary.ts';
import { systemTiming } from '../timing.ts';
import { VERSION } from '../version.ts';
import { planStreams } from './dry-run.ts';
import { type RunIdentity, runSummary, unreadSummary, withCosts } from './outcome.ts';
import { type SelectedStream, selectStreams } from './selection.ts';
import { syncStreams } from './streams.ts';

export interface SyncOptions {
  readonly config: Config;
  readonly destination: Destination;
  readonly api: Api;
  /** The streams that the command line picks among the config's, or null: all of them. */
  readonly streams: readonly string[] | null;
  readonly fullRefresh: boolean;
  readonly allowMassDelete: boolean;
  /** Plan and ask the API, and write nothing anywhere. */
  readonly dryRun: boolean;
  readonly reporter: Reporter;
  /** Aborted when the run is to stop; it then ends within seconds with every position intact. */
  readonly signal: AbortSignal;
}

/**
 * One run of `sync`, from the catalog to the record of how it ended.
 *
 * @returns the summary, also when streams failed.
 * @throws {Failure} when the run could not begin: a refused setting, a taken lock, a destination out of reach.
 */
export async function runSync(options: SyncOptions): Promise<Summary> {
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
  const run: RunIdentity = { id: randomUUID(), command: 'sync', startedAt: api.now() };
  if (catalog.datasets === null) {
    reporter.warning(`the catalog cannot be read (${catalog.problem}); every stream is taken as available`);
  }
  const selection = selectStreams(config, options.streams, catalog.datasets);
  for (const warning of [...selection.warnings, ...futureStart(config.start_date, api.now())])
    reporter.warning(warning);

  const good = selection.streams.filter(({ refused }) => refused === null);
  const unread = [
    ...selection.streams
      .filter(({ refused }) => refused !== null)
      .map(({ stream, refused }) => unreadSummary(stream.name, refused)),
    ...selection.skipped.map((name) => unreadSummary(name, null)),
  ];
  for (const summary of unread) if (summary.status === 'failed') reporter.streamEnded(summary, null);
  const summarize = (streams: readonly StreamSummary[]) =>
    runSummary(run, api.now(), [...streams, ...unread], [...warnings, ...linesOf(ofStreams)]);

  if (options.dryRun) return summarize(await planStreams({ ...options, reporter }, good));
  return writeStreams({ ...options, reporter }, run, good, summarize);
}

/** What is opened again warns again. */
function once(warn: Run['warn']): Run['warn'] {
  const told = new Set<string>();
  return (message, stream) => {
    if (!told.has(message)) warn(message, stream);
    told.add(message);
  };
}

/**
 * Opens all streams whose tables can serve. A table that cannot is its stream's failure and keeps no other from being read (rule 9);
 * the locks are still taken all at once, or not at all (rule 11).
 */
async function openTables(destination: Destination, selected: readonly SelectedStream[], run: Run) {
  const refused: StreamSummary[] = [];
  for (let opened = selected; ; ) {
    try {
      const tables = await destination.open(
        opened.map(({ stream }) => stream),
        run,
      );
      return { tables, opened, refused };
    } catch (error) {
      if (!(error instanceof StreamFailure)) throw error;
      opened = opened.filter(({ stream }) => stream.name !== error.stream);
      refused.push(unreadSummary(error.stream, error));
    }
  }
}

async function writeStreams(
  { config, api, destination, reporter, signal, fullRefresh, allowMassDelete }: SyncOptions,
  run: RunIdentity,
  selected: readonly SelectedStream[],
  summarize: (streams: readonly StreamSummary[]) => Summary,
): Promise<Summary> {
  const refreshed = new Set(fullRefresh ? selected.map(({ stream }) => stream.name) : []);
  const { tables, opened, refused } = await openTables(destination, selected, {
    ...run,
    fullRefresh: refreshed,
    warn: once(reporter.warning),
  });
  for (const summary of refused) reporter.streamEnded(summary, null);

  const begun: RunRecord = {
    runId: run.id,
    command: run.command,
    version: VERSION,
    startedAt: run.startedAt,
    endedAt: null,
    status: 'running',
    summary: null,
  };
  await destination.runs.begin(begun);
  const done = await syncStreams({
    streams: opened,
    tables,
    destination,
    source: api,
    timing: systemTiming,
    reporter,
    signal,
    concurrency: config.concurrency,
    streamsAtOnce: config.streams_at_once,
    startDate: config.start_date ?? null,
    fullRefresh,
    allowMassDelete,
  });
  const costs = await destination.costs();
  for (const warning of costs?.warnings ?? []) reporter.warning(warning);
  const summary = summarize([...done.map((one) => withCosts(one, costs?.streams.get(one.stream))), ...refused]);
  await destination.runs.end({ ...begun, endedAt: summary.ended_at, status: summary.status, summary });
  return summary;
}
