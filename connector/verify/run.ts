import type { Destination } from '../../destinations/contract.ts';
import { configError, type Failure } from '../../destinations/failure.ts';
import type { Stream } from '../../schemas/stream.ts';
import { counted } from '../output/words.ts';
import type { Summary, Verdict } from '../summary.ts';
import { beginRun, documentsOf, openTables, type RunOptions, recorded } from '../sync/begin.ts';
import { syncStreams } from '../sync/streams.ts';
import { systemTiming } from '../timing.ts';
import { verifyStream } from './stream.ts';

export interface RunVerifyOptions extends RunOptions {
  readonly destination: Destination;
  /** Read again what differs, as `sync` would: this alone takes the locks of the streams and changes tables and positions. */
  readonly repair: boolean;
  readonly signal: AbortSignal;
}

/**
 * One run of `verify`, from the catalog to the record of what it found.
 *
 * @returns the summary, also when tables differ: their streams have failed then.
 * @throws {Failure} when the run could not begin.
 */
export async function runVerify(options: RunVerifyOptions): Promise<Summary> {
  const { config, api, destination, repair, signal } = options;
  const begun = await beginRun('verify', options);
  const stored = documentsOf(await destination.positions());
  if (stored.size === 0) throw configError('verify: nothing has been loaded yet; run sync first');
  const { tables, opened, refused } = repair
    ? await openTables(destination, begun, new Set())
    : { tables: new Map(), opened: begun.selected, refused: [] };

  return recorded(destination, begun, signal, async () => {
    const done = await syncStreams({
      ...{ streams: opened, tables, destination, source: api, timing: systemTiming, reporter: begun.reporter, signal },
      ...{ concurrency: config.concurrency, streamsAtOnce: config.streams_at_once },
      ...{
        startDate: config.start_date ?? null,
        knowsAvailable: begun.knowsAvailable,
        fullRefresh: false,
        allowMassDelete: false,
      },
      work: async (context, streamOptions) => {
        const { stream } = context;
        const document = stored.get(stream.name) ?? null;
        const verdict = await verifyStream(context, streamOptions, { destination, document, repair });
        return {
          summary: { verify: verdict },
          failure: verdict.verdict === 'equal' ? null : differing(stream, verdict),
        };
      },
    });
    return begun.summarize([...done, ...refused]);
  });
}

/** What differs and what to do next. */
function differing({ name, cursor }: Stream, { spans, repaired }: Verdict): Failure {
  const [missing, extra] = (['missing', 'extra'] as const).map((side) =>
    spans.reduce((sum, span) => sum + span[side], 0),
  ) as [number, number];
  const where = `${counted(spans.length, 'span')} of ${cursor} from ${spans[0]!.since ?? 'the beginning'} to ${spans.at(-1)!.until}`;
  const next =
    repaired === 0
      ? `To read just those again, run: cleargrid-connector verify --config FILE --streams ${name} --repair`
      : `So it is after a repair: run it once more, and if that does not help: cleargrid-connector sync --config FILE --streams ${name} --full-refresh`;
  return configError(
    `${name}: the table differs from the API in ${where}: ${counted(missing, 'row')} missing in the table, ` +
      `${counted(extra, 'row')} there that the API does not have. ${next}`,
  );
}
