import type { Span } from '../../destinations/contract.ts';
import { readEnvelope } from '../api/envelope.ts';
import { withRetries } from '../api/retry.ts';
import { PageFailure } from '../source.ts';
import type { StreamContext } from '../sync/context.ts';
import { cursorRange } from '../sync/cursor-values.ts';

/** For one total. */
const BOUNDS = { tries: 6, budgetMs: 90_000 };

/** What the API says of a span by itself. */
export interface Total {
  /** How many records it has; null where the API does not count that many, or not in time. */
  readonly records: number | null;
  /** The first record's cursor value, or null. */
  readonly first: string | null;
}

/** Asks the API how many records a span has. @throws {Failure} when it cannot be asked. */
export async function askTotal(context: StreamContext, { since, until }: Span): Promise<Total> {
  const { source, stream, limiter, timing, signal, counts } = context;
  const request = { since, until, cursor: null, limit: 1, includeTotal: true } as const;
  const ask = async (): Promise<Total> => {
    counts.requests++;
    const { bytes, release } = await source.fetchPage(stream.dataset, request, signal);
    const { records, nextCursor, total } = opened(bytes, release);
    const isEmpty = records.length === 0 && nextCursor === null;
    return { records: isEmpty ? 0 : total, first: cursorRange(records, stream.cursor).first };
  };
  return limiter.run(() =>
    withRetries(BOUNDS, timing, signal, () =>
      ask().catch((error) => {
        if (error instanceof PageFailure && error.reason === 'timed_out') return { records: null, first: null };
        throw error;
      }),
    ),
  );
}

function opened(bytes: Uint8Array, release: () => void): ReturnType<typeof readEnvelope> {
  try {
    return readEnvelope(bytes);
  } catch (error) {
    throw new PageFailure('interrupted', 'the answer to a count is no page', { cause: error });
  } finally {
    release();
  }
}
