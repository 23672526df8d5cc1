import type { Destination } from '../../destinations/contract.ts';
import type { StreamSummary, Summary } from '../summary.ts';
import { systemTiming } from '../timing.ts';
import { type BegunRun, beginRun, openTables, type RunOptions, recorded } from './begin.ts';
import { planStreams } from './dry-run.ts';
import { withCosts } from './outcome.ts';
import { concurrencyOf } from './part.ts';
import { syncStreams } from './streams.ts';

export interface SyncOptions extends RunOptions {
  readonly destination: Destination;
  readonly fullRefresh: boolean;
  readonly allowMassDelete: boolean;
  /** Plan and ask the API, and write nothing anywhere. */
  readonly dryRun: boolean;
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
  const begun = await beginRun('sync', options);
  const { reporter, selected, knowsAvailable, summarize } = begun;
  if (options.dryRun) return summarize(await planStreams({ ...options, reporter, knowsAvailable }, selected));
  return writeStreams(options, begun);
}

async function writeStreams(
  { config, api, destination, signal, fullRefresh, allowMassDelete, task }: SyncOptions,
  begun: BegunRun,
): Promise<Summary> {
  const { reporter, selected, summarize } = begun;
  const refreshed = new Set(fullRefresh ? selected.map(({ stream }) => stream.name) : []);
  const { tables, opened, refused } = await openTables(destination, begun, refreshed);
  return recorded(destination, begun, signal, async () => {
    const done = await syncStreams({
      streams: opened,
      tables,
      destination,
      source: api,
      timing: systemTiming,
      reporter,
      signal,
      concurrency: task ? concurrencyOf(config.concurrency, task) : config.concurrency,
      ...(task && { task }),
      streamsAtOnce: config.streams_at_once,
      startDate: config.start_date ?? null,
      fullRefresh,
      allowMassDelete,
      knowsAvailable: begun.knowsAvailable,
    });
    const costs = await destination.costs();
    for (const warning of costs?.warnings ?? []) reporter.warning(warning);
    const all: StreamSummary[] = done.map((one) => withCosts(one, costs?.streams.get(one.stream)));
    return summarize([...all, ...refused]);
  });
}
