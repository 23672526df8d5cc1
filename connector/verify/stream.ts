import type { Destination, Span } from '../../destinations/contract.ts';
import { configError, type Failure } from '../../destinations/failure.ts';
import type { Position } from '../../destinations/position.ts';
import type { Stream } from '../../schemas/stream.ts';
import type { Verdict } from '../summary.ts';
import type { StreamContext } from '../sync/context.ts';
import { earlierBy } from '../sync/instants.ts';
import { type Judgement, judgeDocument, judgePosition } from '../sync/judge.ts';
import { type StreamOptions, syncStream } from '../sync/stream.ts';
import { type Comparison, compareSpan, compareSpans } from './compare.ts';
import { movedRows } from './moved.ts';
import { repairSpans } from './repair.ts';
import { joinNearest } from './spans.ts';

export interface VerifyOptions {
  readonly destination: Pick<Destination, 'count' | 'cursors'>;
  /** The stored position's document, or null. */
  readonly document: string | null;
  /** Whether spans that differ are read again; the stream's table is open then. */
  readonly repair: boolean;
}

/** More refreshes, one after the other, cost more than to read the rows between the spans. */
const MOST_REPAIRS = 64;

/**
 * Compares one stream's table with the API, as far as the next run would not read it again anyway; and where they differ and that
 * is asked for, reads those spans again and compares them once more.
 *
 * @throws {Failure} when it cannot be compared; that it differs is no failure here.
 */
export async function verifyStream(
  context: StreamContext,
  options: StreamOptions,
  { destination, document, repair }: VerifyOptions,
): Promise<Verdict> {
  const { stream, source } = context;
  const position = repair
    ? await settledPosition(context, options)
    : loadedPosition(judgeDocument(document, stream, source.lender, false), stream);
  options.moved(position);
  const span = comparableSpan(position, options.lookBackMs, source.now(), stream);
  const { until: end } = span;
  const compare = () => ({ context, destination, end, moved: movedRows(context, destination, end) });
  const found = await compareSpan(compare(), span);
  if (!repair || found.different.length === 0) return verdictOf(span, found, 0);

  const repaired = await repairSpans(context, options, joinNearest(found.different, MOST_REPAIRS));
  const again = await compareSpans(compare(), found.different, true);
  return verdictOf(span, replaced(found, again), repaired);
}

/** The position once what an earlier run left unfinished is done: a repair begins with nothing open. */
async function settledPosition(context: StreamContext, options: StreamOptions): Promise<Position> {
  const { stream, table, source } = context;
  const read = async () => loadedPosition(judgePosition(await table.position(), stream, source.lender, false), stream);
  const position = await read();
  if (position.windows.length === 0 && position.refresh === null) return position;
  await syncStream(context, options);
  return read();
}

function loadedPosition(judgement: Judgement, stream: Stream): Position {
  if (judgement.verdict === 'starts over') throw unfinished(stream, judgement.because);
  if (judgement.verdict === 'goes on' && judgement.position.complete !== null) return judgement.position;
  throw unfinished(stream, 'it has not been read to its end yet');
}

/** What is before the last complete instant less the look-back, and before what is being read: there the next run reads nothing. */
function comparableSpan({ complete, from, windows }: Position, lookBackMs: number, now: string, stream: Stream): Span {
  const left = windows.map(({ since }) => since);
  if (left.includes(null)) throw unfinished(stream, 'it is being read again from the start, and not at the end yet');
  const ends = [complete!, now].map((instant) => earlierBy(instant, lookBackMs));
  const earliest = [...ends, ...(left as string[])].sort()[0]!;
  // The API may know whole milliseconds only: such an instant is the same on both sides.
  const until = `${earliest.slice(0, 23)}000Z`;
  return { since: from, until: from !== null && until < from ? from : until };
}

function unfinished({ name }: Stream, what: string): Failure {
  return configError(
    `${name}: ${what}, so there is nothing to compare. Run: cleargrid-connector sync --config FILE --streams ${name}`,
  );
}

/** What was found, with the spans that differed as they are now. */
function replaced(found: Comparison, again: Comparison): Comparison {
  const before = (side: 'api' | 'table') => found.different.reduce((sum, span) => sum + (span[side] ?? 0), 0);
  return {
    api: found.api - before('api') + again.api,
    table: found.table - before('table') + again.table,
    rejects: found.rejects + again.rejects,
    undated: again.undated,
    different: again.different,
  };
}

function verdictOf({ since, until }: Span, { different, ...counts }: Comparison, repaired: number): Verdict {
  const { api, table, rejects, undated } = counts;
  const spans = different.map((one) => ({ ...one }));
  return {
    ...{ verdict: spans.length === 0 ? 'equal' : 'differs', since, until },
    ...{ api, table, rejects, undated, spans, repaired },
  };
}
