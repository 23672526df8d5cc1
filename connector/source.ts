import { asFailure, Failure, type FailureKind } from '../destinations/failure.ts';
import type { Dataset } from '../schemas/stream.ts';

/** The seam between the sync loop and the Exports API: single attempts, no retries of pages. */
export interface Source {
  /** The UUID of the lender that is logged in. */
  readonly lender: string;

  /** The server's clock, advanced by our monotonic one; our own clock where the server told no time. */
  now(): string;

  /** Whether `now` stands on the server's clock. */
  readonly hasServerClock: boolean;

  /**
   * Asks for one page, once (a 401 apart: tokens are renewed and the request repeated once).
   *
   * @param mostBytes how large a body there is room for; a larger one is broken off (`outgrown`).
   * @throws {PageFailure} for whatever kept the page from arriving whole; `Failure` when nobody's retry can help.
   */
  fetchPage(dataset: Dataset, request: PageRequest, signal: AbortSignal, mostBytes?: number): Promise<FetchedPage>;
}

/** The parameters of a page. All of them are sent with every cursor: a cursor is only valid with those it came from. */
export interface PageRequest {
  readonly since: string | null;
  readonly until: string | null;
  readonly cursor: string | null;
  /** 1 to 1000. */
  readonly limit: number;
  /** Also asks how many records `since` and `until` leave in all, which costs the API a query more. */
  readonly includeTotal?: true;
}

export interface FetchedPage {
  readonly bytes: Uint8Array;
  /** Server-clock instant at which it was asked for. */
  readonly askedAt: string;
  /** Gives the memory of `bytes` back, which nobody may read any more. */
  release(): void;
}

/**
 * Why a page did not arrive, cut by what the walker does next.
 *
 * - `interrupted`: no connection, reset, silence, too slow, cut short, no JSON: ask again.
 * - `throttled`: 429, 503: ask again later, and for less at once.
 * - `refused`: 500 and other 5xx: a passing fault, a rejected cursor, or one that no retry cures; not told apart.
 * - `timed_out`: 504: ask again later, then for less.
 * - `too_large`: the body passed 64 MB: ask for less.
 * - `outgrown`: the body passed what there was room for: ask again with more.
 */
export type PageFailureReason = 'interrupted' | 'throttled' | 'refused' | 'timed_out' | 'too_large' | 'outgrown';

/** The dataset is reserved, or unknown to this lender and environment: a catalog that can be read says so beforehand. */
export class NotAvailable extends Failure {
  constructor(message: string, options: { requestId?: string | null } = {}) {
    super('config_error', message, options);
    this.name = 'NotAvailable';
  }
}

/** A page that did not arrive. As a `Failure` (of kind `transient_error`) it ends the stream when the walker's tries are used up. */
export class PageFailure extends Failure {
  readonly reason: PageFailureReason;
  readonly status: number | null;
  /** What the answer's `Retry-After` asks for, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** Whether the message says itself what to do next. */
  readonly advises: boolean;

  constructor(
    reason: PageFailureReason,
    message: string,
    options: {
      cause?: unknown;
      status?: number | null;
      requestId?: string | null;
      retryAfterMs?: number | null;
      kind?: FailureKind;
      advises?: boolean;
    } = {},
  ) {
    super(options.kind ?? 'transient_error', message, options);
    this.name = 'PageFailure';
    this.reason = reason;
    this.status = options.status ?? null;
    this.retryAfterMs = options.retryAfterMs ?? null;
    this.advises = options.advises ?? false;
  }
}

/** A page that cannot be opened or decoded is one that did not arrive. */
export function notArrived(error: unknown, where: string | null = null): PageFailure {
  const { message } = asFailure(error);
  return new PageFailure('interrupted', where === null ? message : `${where}: ${message}`, { cause: error });
}

/** A failure once no try is left: a page that did not arrive says what was in the way, and not always what to do `next`. */
export function advised(failure: Failure, next: string): Failure {
  if (!(failure instanceof PageFailure) || failure.advises) return failure;
  const { reason, kind, status, requestId } = failure;
  const message = `${failure.message.replace(/\.$/, '')}. ${next}`;
  return new PageFailure(reason, message, { kind, status, requestId, cause: failure, advises: true });
}
