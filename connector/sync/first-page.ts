import type { Stream } from '../../schemas/stream.ts';
import { withRetries } from '../api/retry.ts';
import { type FetchedPage, notArrived, PageFailure, type Source } from '../source.ts';
import { systemTiming } from '../timing.ts';
import type { Counts } from './context.ts';
import { cuts } from './instants.ts';
import { openPage, type PageParts } from './page-parts.ts';
import { BEGINNING_OF_DATA } from './windows.ts';

const BOUNDS = { tries: 5, budgetMs: 60_000 };

/** A span that the API cannot answer in time is asked for from the last of so many parts on. */
const PARTS = 4;

export interface FirstPage {
  /** Where the span began that was answered: later than what was asked for where the API could not answer all of it in time. */
  readonly from: string | null;
  readonly page: FetchedPage;
  readonly parts: PageParts;
  readonly records: readonly unknown[];
}

/**
 * The first page of a span, opened; the requests are counted. A run cuts a span that gets a 504 (rule 4); here its newest part stands for it.
 *
 * @throws {Failure} when none came within a minute.
 */
export function askFirstPage(
  source: Source,
  stream: Stream,
  { since, until }: { readonly since: string | null; readonly until: string | null },
  counts: Counts,
  signal: AbortSignal,
): Promise<FirstPage> {
  let from = since;
  return withRetries(BOUNDS, systemTiming, signal, async () => {
    if (counts.requests++ > 0) counts.retries++;
    const request = { since: from, until, cursor: null, limit: 1000 };
    const page = await source.fetchPage(stream.dataset, request, signal).catch((error) => {
      if (error instanceof PageFailure && error.reason === 'timed_out') {
        from = cuts(from ?? BEGINNING_OF_DATA, until ?? source.now(), PARTS).at(-1) ?? from;
      }
      throw error;
    });
    try {
      const parts = openPage(page.bytes, stream.cursor);
      return { from: request.since, page, parts, records: parts.records() };
    } catch (error) {
      throw notArrived(error);
    }
  });
}
