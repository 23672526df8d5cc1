import { airbyteKinds } from '../../destinations/airbyte/kinds.ts';
import type { Output } from '../../destinations/airbyte/output.ts';
import { airbyteBatching, printedTable } from '../../destinations/airbyte/table.ts';
import { configError, type Failure } from '../../destinations/failure.ts';
import type { Api } from '../api/connect.ts';
import type { Config } from '../config/schema.ts';
import type { Reporter } from '../report.ts';
import type { StreamSummary } from '../summary.ts';
import { unreadSummary } from '../sync/outcome.ts';
import { type SelectedStream, type Selection, selectStreams, unreadCatalog } from '../sync/selection.ts';
import { syncStreams } from '../sync/streams.ts';
import { systemTiming } from '../timing.ts';
import { type ConfiguredStream, requireAllColumns } from './configured-catalog.ts';
import { withEstimates } from './estimates.ts';
import { besidePosition, positionOf, type States } from './state.ts';

export interface ReadOptions {
  readonly config: Config;
  readonly api: Api;
  readonly configured: readonly ConfiguredStream[];
  readonly states: States;
  readonly output: Output;
  readonly reporter: Reporter;
  readonly signal: AbortSignal;
}

/**
 * One run of `read`: the loop of `sync`, into tables that print.
 *
 * @returns what became of each configured stream; never throws for what a stream threw.
 * @throws {Failure} `config_error` when the catalog asks for what the source does not have.
 */
export async function readStreams(options: ReadOptions): Promise<StreamSummary[]> {
  const { config, api, configured, reporter } = options;
  const catalog = await api.catalog();
  if (catalog.datasets === null) {
    reporter.warning(unreadCatalog(catalog.problem));
  }
  const selection = selectStreams(config, null, catalog.datasets);
  requireAllColumns(configured, selection);

  const wanted = configured.map((stream) => ({ configured: stream, ...selected(stream, selection, config) }));
  const unread = wanted.flatMap(({ configured: { name }, refused }) =>
    refused === null ? [] : [unreadSummary(name, refused)],
  );
  for (const summary of unread) {
    reporter.streamStarted(summary.stream);
    reporter.streamEnded(summary, null);
  }
  const good = wanted.flatMap((entry) => (entry.refused === null ? [entry] : []));
  return [...unread, ...(await print(options, good))];
}

type Wanted = { readonly configured: ConfiguredStream } & Pick<SelectedStream, 'stream' | 'lookBackMs'>;

function print({ config, api, states, output, reporter, signal }: ReadOptions, streams: readonly Wanted[]) {
  const tables = streams.map(({ configured, stream }) => {
    const given = () => positionOf(states, configured, stream, api.lender);
    return [stream.name, printedTable({ stream, output, given, beside: besidePosition(configured) })] as const;
  });
  const starting = new Map(
    streams.filter(({ stream }) => !states.has(stream.name)).map(({ stream }) => [stream.name, stream]),
  );
  const startDate = config.start_date ?? null;
  return syncStreams({
    streams,
    tables: new Map(tables),
    destination: { kinds: airbyteKinds, batching: airbyteBatching },
    source: api,
    timing: systemTiming,
    reporter: withEstimates(reporter, starting, { api, output, startDate, signal }),
    signal,
    concurrency: config.concurrency,
    streamsAtOnce: config.streams_at_once,
    startDate,
    fullRefresh: false,
    allowMassDelete: false,
  });
}

/** The stream that is configured, or why it cannot be read now. */
function selected(
  { name }: ConfiguredStream,
  { streams }: Selection,
  config: Config,
): { refused: Failure } | (SelectedStream & { refused: null }) {
  const found = streams.find(({ stream }) => stream.name === name);
  if (found === undefined) {
    const because =
      config.streams === undefined || config.streams.includes(name)
        ? 'is not available to this lender now'
        : "is not among the config's streams";
    return { refused: configError(`${name}: ${because}; take it out of the connection, or make it available`) };
  }
  const { refused } = found;
  return refused === null ? { ...found, refused } : { refused };
}
