import { isDeepStrictEqual } from 'node:util';
import { type FetchedPage, notArrived, PageFailure, type PageFailureReason, type PageRequest } from '../source.ts';
import type { Charge } from './budget.ts';
import type { ReadyPage, StreamContext } from './context.ts';
import { openPage } from './page-parts.ts';
import { pauseAfter } from './pause.ts';

/** How often the same request is asked, by what went wrong; then the walker decides. 429 and 503 only end with patience. */
const TRIES: Readonly<Record<PageFailureReason, number>> = {
  interrupted: 5,
  throttled: Number.POSITIVE_INFINITY,
  refused: 4,
  timed_out: 1,
  too_large: 1,
  // Each time there is room for twice as much, up to where it is too large.
  outgrown: Number.POSITIVE_INFINITY,
};

/** What a page is taken to weigh before the first one has come: bytes. */
const FIRST_PAGE_BYTES = 1_000_000;

/** How large a page may be for which so many bytes of the budget are taken: it is not known before it comes, and one is not like another. */
const roomFor = (charged: number): number => Math.max(2 * charged, charged + 1_000_000);

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

  function fetch(request: PageRequest, charged: number, stop: AbortSignal): Promise<FetchedPage> {
    const mostBytes = roomFor(charged);
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
        const within = AbortSignal.any([stop, patienceEnds.signal]);
        const page = await source.fetchPage(stream.dataset, request, within, mostBytes);
        happened(null);
        return page;
      } catch (error) {
        happened(error);
        if (isOutgrown(error)) pageBytes = Math.max(pageBytes, mostBytes);
        throw error;
      } finally {
        answered.abort('answered');
      }
    });
  }

  /** Sends a request before its turn, where there is room for its page. */
  function fetchAhead(request: PageRequest): Ahead | null {
    const charged = pageBytes;
    const charge = budget.takeNow(charged);
    if (charge === null) return null;
    const stop = new AbortController();
    const fetched = fetch(request, charged, AbortSignal.any([signal, stop.signal]));
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
      throw notArrived(error, stream.name);
    } finally {
      release();
    }
  }

  /** There is none before the destination has taken what was read. */
  async function room(bytes: number): Promise<Charge> {
    context.progressed('waits for the destination');
    const charge = await budget.take(bytes, signal);
    context.progressed(null);
    return charge;
  }

  return async (request, options = {}) => {
    let sent = options.ahead ?? null;
    if (sent !== null && !isDeepStrictEqual(sent.request, request)) {
      sent.drop();
      sent = null;
    }
    let failures = 0;
    while (true) {
      const charged = pageBytes;
      const charge = sent?.charge ?? budget.takeNow(charged) ?? (await room(charged));
      try {
        const fetched = await (sent?.fetched ?? fetch(request, charged, signal));
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
        // No try was lost: there is more room now.
        if (isOutgrown(error)) {
          counts.retries++;
          context.happened({ type: 'retried', reason: error.reason });
          continue;
        }
        patience.failed();
        if (error.reason === 'throttled' || error.reason === 'timed_out') limiter.overloaded();
        if (++failures >= TRIES[error.reason]) throw error;
        await pauseAfter(context, error, failures);
      }
    }
  };
}

function isOutgrown(error: unknown): boolean {
  return error instanceof PageFailure && error.reason === 'outgrown';
}
