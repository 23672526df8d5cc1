import { PageFailure } from '../source.ts';
import type { Timing } from '../timing.ts';

const BASE_MS = 500;
const CEILING_MS = 20_000;

export interface RetryDelay {
  /** How many tries have failed: 1 or more. */
  readonly attempt: number;
  /** What the last answer's `Retry-After` asks for, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

/**
 * How long to wait before the next try, in milliseconds: exponential with full jitter up to 20 s. The server's wish is the floor;
 * the jitter comes on top of it, so that walkers who were all told the same do not come back all at once.
 */
export function retryDelay({ attempt, retryAfterMs, random }: RetryDelay): number {
  const jitter = random() * Math.min(CEILING_MS, BASE_MS * 2 ** (attempt - 1));
  return (retryAfterMs ?? 0) + jitter;
}

export interface RetryBounds {
  readonly tries: number;
  /** For all tries and the waits between them. */
  readonly budgetMs: number;
}

/**
 * Tries again what failed with a `PageFailure`, within bounds; any other error, and the last one, is thrown as it is.
 *
 * @param attempt is given the milliseconds that are left of the budget.
 */
export async function withRetries<T>(
  bounds: RetryBounds,
  timing: Timing,
  signal: AbortSignal,
  attempt: (leftMs: number) => Promise<T>,
): Promise<T> {
  const end = timing.monotonic() + bounds.budgetMs;
  for (let failed = 1; ; failed++) {
    try {
      return await attempt(end - timing.monotonic());
    } catch (error) {
      if (!(error instanceof PageFailure) || failed >= bounds.tries) throw error;
      const delay = retryDelay({ attempt: failed, retryAfterMs: error.retryAfterMs, random: timing.random });
      if (timing.monotonic() + delay >= end) throw error;
      await timing.sleep(delay, signal);
    }
  }
}
