import { asFailure } from '../../destinations/failure.ts';
import type { Position } from '../../destinations/position.ts';
import { compileMapper } from '../../schemas/mapper.ts';
import { counted } from '../output/words.ts';
import { advised } from '../source.ts';
import type { StreamSummary } from '../summary.ts';
import { documentsOf } from './begin.ts';
import { newCounts } from './context.ts';
import { askFirstPage } from './first-page.ts';
import { judgeDocument, refuseSecondLender } from './judge.ts';
import { streamSummary } from './outcome.ts';
import { incrementSince } from './plan.ts';
import type { SyncOptions } from './run.ts';
import { isSkipped, type SelectedStream, SKIPPED } from './selection.ts';

/** What an earlier run has left to be done before. */
function unfinished(position: Position | null): string {
  const windows = position?.windows.length ?? 0;
  return windows === 0 ? '' : `finish ${counted(windows, 'window')} of an earlier run, and `;
}

/**
 * What a run would do, found out without writing anything: for each stream whether its position is taken, where the run would
 * begin, and the first page that the API has from there. Whether the tables can serve only a run finds out, which locks them.
 *
 * @returns summaries whose `rows_read` counts that first page; `complete` is what is stored.
 */
export async function planStreams(
  options: SyncOptions & { readonly knowsAvailable: boolean },
  selected: readonly SelectedStream[],
): Promise<StreamSummary[]> {
  const { config, api, destination, reporter, signal, fullRefresh, knowsAvailable } = options;
  const stored = documentsOf(await destination.positions());
  const startDate = config.start_date ?? null;
  const summaries: StreamSummary[] = [];
  for (const { stream, lookBackMs } of selected) {
    const counts = newCounts();
    let complete: string | null = null;
    try {
      reporter.streamStarted(stream.name);
      refuseSecondLender(stored, stream, api.lender);
      const judgement = judgeDocument(stored.get(stream.name) ?? null, stream, api.lender, fullRefresh);
      const position = judgement.verdict === 'goes on' ? judgement.position : null;
      complete = position?.complete ?? null;
      const since = position === null || fullRefresh ? startDate : incrementSince(position, lookBackMs, startDate);
      const until = api.hasServerClock ? api.now() : null;
      const { from, page, parts, records } = await askFirstPage(api, stream, { since, until }, counts, signal);
      const { nextCursor, last } = parts;
      counts.rowsRead = records.length;
      counts.bytes = page.bytes.length;
      reporter.notice(
        `${stream.name}: would ${unfinished(position)}read ${stream.cursor} from ${since ?? 'the beginning'} to ${until ?? 'the end'}: ` +
          (from === since
            ? ''
            : `the API has no answer for so long a span in time, so in parts; asked from ${from} on, `) +
          `${records.length} records on the first page${nextCursor === null ? ', and no more' : `, up to ${last ?? 'an unknown instant'}, and more after it`}`,
        stream.name,
      );
      const rows = () => compileMapper(stream, destination.kinds).map(records, page.askedAt);
      const scanned = await destination.estimate(stream, { ...page, span: parts.span, rows });
      if (scanned !== null) {
        reporter.notice(
          `${stream.name}: writing that page would read ${scanned} bytes of its table, by the destination's own dry run`,
          stream.name,
        );
      }
      summaries.push(streamSummary(stream.name, 'succeeded', counts, complete, null));
    } catch (error) {
      const failure = advised(asFailure(error), 'Try again later.');
      const skipped = isSkipped(error, { knowsAvailable });
      if (skipped) reporter.warning(`${stream.name}: ${SKIPPED}`, stream.name);
      const status = signal.aborted ? 'stopped' : skipped ? 'skipped' : 'failed';
      summaries.push(streamSummary(stream.name, status, counts, complete, status === 'failed' ? failure : null));
    }
    reporter.streamEnded(summaries.at(-1)!, null);
  }
  return summaries;
}
