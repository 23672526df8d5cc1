import { retryDelay } from '../api/retry.ts';
import type { PageFailure } from '../source.ts';
import type { StreamContext } from './context.ts';

/**
 * Waits before the API is asked again, for the same page or for something else instead: longer each time, never less than `Retry-After`
 * asks for (rule 8).
 *
 * @param attempts how many requests in a row have failed: 1 or more.
 * @throws {PageFailure} the failure itself, where the stream's patience would end before the wait does.
 */
export async function pauseAfter(context: StreamContext, failure: PageFailure, attempts: number): Promise<void> {
  const { counts, patience, signal, timing } = context;
  const delay = retryDelay({ attempt: attempts, retryAfterMs: failure.retryAfterMs, random: timing.random });
  if (delay >= patience.left()) throw failure;
  counts.retries++;
  context.happened({ type: 'retried', reason: failure.reason });
  const throttledMs = failure.reason === 'throttled' ? delay : 0;
  context.progressed(`retry in ${Math.ceil(delay / 1000)} s: ${failure.status ?? failure.reason}`, throttledMs);
  await timing.sleep(delay, signal);
  context.progressed(null);
}
