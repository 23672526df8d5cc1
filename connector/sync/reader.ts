import { isDeepStrictEqual } from 'node:util';
import { asFailure } from '../../destinations/failure.ts';
import { retryDelay } from '../api/retry.ts';
import { type FetchedPage, PageFailure, type PageFailureReason, type PageRequest } from '../source.ts';
import type { Charge } from './budget.ts';
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

/** The request for the page that follows, under way while the page before it is worked on. */
export interface Ahead {
  readonly request: PageRequest;
  readonly fetched: Promise<FetchedPage>;
  readonly charge: Charge;
  /** Breaks it off. */
  drop(): void;
}

/** A page, its last record as it came where that is known, and the request for the page after it where that was sent already. */
export interface ReadAhead extends ReadyPage {
  readonly tail: Uint8Array | null;
  readonly ahead: Ahead | null;
}

export interface ReadOptions {
  /** What came with the page before; it is dropped unless it is this very request. */
  readonly ahead?: Ahead | null;
  /** The record that the walk read last, if it starts again there: it is not taken twice. */
  readonly before?: Uint8Array | null;
  /** Whether the page that follows will be asked for next, so that it may be asked for ahead. */
  readonly goesOn?: () => boolean;
}

export type ReadPage = (request: PageRequest, options?: ReadOptions) => Promise<ReadAhead>;

/**
 * Reads pages of one stream: asks within the limits of the run, decodes and prepares each page in its turn, and asks again
 * for what did not arrive whole. A page that cannot be decoded is one that did not arrive.
 */
export function pageReader(context: StreamContext): ReadPage {
  const { source, stream, table, mapper, limiter, budget, patience, timing, counts, signal } = context;
  let pageBytes = FIRST_PAGE_BYTES;

  function fetch(request: PageRequest, stop: AbortSignal): Promise<FetchedPage> {
    return limiter.run(async () => {
      stop.throwIfAborted();
      patience.asked();
      const patienceEnds = new AbortController();
      const answered = new AbortController();
      timing.sleep(patience.left() + 1000, AbortSignal.any([stop, answered.signal])).then(
        () => patienceEnds.abort(new PageFailure('interrupted', `${stream.name}: no answer in time`)),
        () => {},
      );
      const asked = timing.monotonic();
      const happened = (error: unknown) =>
        context.happened({ type: 'answered', ms: timing.monotonic() - asked, error });
      try {
        counts.requests++;
        const page = await source.fetchPage(stream.dataset, request, AbortSignal.any([stop, patienceEnds.signal]));
        happened(null);
        return page;
      } catch (error) {
        happened(error);
        throw error;
      } finally {
        answered.abort('answered');
      }
    });
  }

  /** Sends a request before its turn, where there is room for its page. */
  function fetchAhead(request: PageRequest): Ahead | null {
    const charge = budget.takeNow(pageBytes);
    if (charge === null) return null;
    const stop = new AbortController();
    const fetched = fetch(request, AbortSignal.any([signal, stop.signal]));
    // Whoever takes it up learns of its failure.
    fetched.catch(() => {});
    const drop = () => {
      stop.abort();
      charge.release();
    };
    return { request, fetched, charge, drop };
  }

  async function open(
    { bytes, askedAt, release }: FetchedPage,
    request: PageRequest,
    { before = null, goesOn = () => false }: ReadOptions,
  ): Promise<Omit<ReadAhead, 'release'>> {
    let ahead: Ahead | null = null;
    try {
      const parts = openPage(bytes, stream.cursor, before);
      if (parts.nextCursor !== null && goesOn()) ahead = fetchAhead({ ...request, cursor: parts.nextCursor });
      await timing.turn();
      const prepared = table.prepare({
        bytes,
        askedAt,
        span: parts.span,
        rows: () => mapper.map(parts.records(), askedAt),
      });
      counts.bytes += bytes.length;
      pageBytes = Math.max(bytes.length, prepared.bytes, Math.floor(pageBytes / 2));
      const { nextCursor, first, last, tail } = parts;
      if (ahead !== null && ahead.request.cursor !== nextCursor) {
        ahead.drop();
        ahead = null;
      }
      return { prepared, nextCursor, first, last, tail, ahead };
    } catch (error) {
      ahead?.drop();
      throw new PageFailure('interrupted', `${stream.name}: ${asFailure(error).message}`, { cause: error });
    } finally {
      release();
    }
  }

  async function pause(failure: PageFailure, attempts: number): Promise<void> {
    const delay = retryDelay({ attempt: attempts, retryAfterMs: failure.retryAfterMs, random: timing.random });
    if (delay >= patience.left()) throw failure;
    counts.retries++;
    context.happened({ type: 'retried', reason: failure.reason });
    const throttledMs = failure.reason === 'throttled' ? delay : 0;
    context.progressed(`retry in ${Math.ceil(delay / 1000)} s: ${failure.status ?? failure.reason}`, throttledMs);
    await timing.sleep(delay, signal);
    context.progressed(null);
  }

  return async (request, options = {}) => {
    let sent = options.ahead ?? null;
    if (sent !== null && !isDeepStrictEqual(sent.request, request)) {
      sent.drop();
      sent = null;
    }
    for (let attempts = 1; ; attempts++) {
      const charge = sent?.charge ?? (await budget.take(pageBytes, signal));
      try {
        const fetched = await (sent?.fetched ?? fetch(request, signal));
        // Before it has its turn: what is asked for meanwhile is charged by it.
        pageBytes = Math.max(pageBytes, fetched.bytes.length);
        charge.adjust(pageBytes);
        const page = await open(fetched, request, options);
        limiter.succeeded();
        patience.succeeded();
        charge.adjust(page.prepared.bytes);
        return { ...page, release: charge.release };
      } catch (error) {
        sent = null;
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
