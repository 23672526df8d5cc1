import { asFailure } from '../../destinations/failure.ts';
import { retryDelay } from '../api/retry.ts';
import { type FetchedPage, PageFailure, type PageFailureReason, type PageRequest } from '../source.ts';
import type { ReadyPage, StreamContext } from './context.ts';
import { openPage } from './page-parts.ts';

/** How often the same request is asked, by what went wrong; then the walker decides. 429 and 503 only end with patience. */
const TRIES: Readonly<Record<PageFailureReason, number>> = {
  interrupted: 5,
  throttled: Number.POSITIVE_INFINITY,
  refused: 4,
  timed_out: 1,
  too_large: 1,
};

/** What a page is taken to weigh before the first one has come: bytes. */
const FIRST_PAGE_BYTES = 1_000_000;

export type ReadPage = (request: PageRequest) => Promise<ReadyPage>;

/**
 * Reads pages of one stream: asks within the limits of the run, decodes and prepares each page as it arrives, and asks again
 * for what did not arrive whole. A page that cannot be decoded is one that did not arrive.
 */
export function pageReader(context: StreamContext): ReadPage {
  const { source, stream, table, mapper, limiter, budget, patience, timing, counts, signal } = context;
  let pageBytes = FIRST_PAGE_BYTES;

  async function attempt(request: PageRequest): Promise<Omit<ReadyPage, 'release'>> {
    const patienceEnds = new AbortController();
    const answered = new AbortController();
    timing.sleep(patience.left() + 1000, AbortSignal.any([signal, answered.signal])).then(
      () => patienceEnds.abort(new PageFailure('interrupted', `${stream.name}: no answer in time`)),
      () => {},
    );
    try {
      counts.requests++;
      const fetched = await source.fetchPage(stream.dataset, request, AbortSignal.any([signal, patienceEnds.signal]));
      return open(fetched);
    } finally {
      answered.abort();
    }
  }

  function open({ bytes, askedAt }: FetchedPage): Omit<ReadyPage, 'release'> {
    try {
      const parts = openPage(bytes, stream.cursor);
      const prepared = table.prepare({
        bytes,
        askedAt,
        span: parts.span,
        rows: () => mapper.map(parts.records(), askedAt),
      });
      counts.bytes += bytes.length;
      pageBytes = Math.max(bytes.length, prepared.bytes, Math.floor(pageBytes / 2));
      return { prepared, nextCursor: parts.nextCursor, first: parts.first, last: parts.last };
    } catch (error) {
      throw new PageFailure('interrupted', `${stream.name}: ${asFailure(error).message}`, { cause: error });
    }
  }

  async function pause(failure: PageFailure, attempts: number): Promise<void> {
    const delay = retryDelay({ attempt: attempts, retryAfterMs: failure.retryAfterMs, random: timing.random });
    if (delay >= patience.left()) throw failure;
    counts.retries++;
    const throttledMs = failure.reason === 'throttled' ? delay : 0;
    context.progressed(`retry in ${Math.ceil(delay / 1000)} s: ${failure.status ?? failure.reason}`, throttledMs);
    await timing.sleep(delay, signal);
    context.progressed(null);
  }

  return async (request) => {
    for (let attempts = 1; ; attempts++) {
      const charge = await budget.take(pageBytes, signal);
      try {
        const page = await limiter.run(() => {
          signal.throwIfAborted();
          patience.asked();
          return attempt(request);
        });
        limiter.succeeded();
        patience.succeeded();
        charge.adjust(page.prepared.bytes);
        return { ...page, release: charge.release };
      } catch (error) {
        charge.release();
        signal.throwIfAborted();
        if (!(error instanceof PageFailure)) throw error;
        patience.failed();
        if (error.reason === 'throttled' || error.reason === 'timed_out') limiter.overloaded();
        if (attempts >= TRIES[error.reason]) throw error;
        await pause(error, attempts);
      }
    }
  };
}
