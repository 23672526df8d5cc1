import type { Span } from '../../destinations/contract.ts';
import type { StreamContext } from '../sync/context.ts';
import { openRefresh, type StreamOptions, syncStream } from '../sync/stream.ts';

/** How many runs' worth of settling a refresh is given before the spans after it are left to the next run. */
const TRIES = 2;

/**
 * Reads spans again, each as a refresh of its own by the loop of `sync`: what was changed behind our back is replaced, and rows that the
 * API has no more are marked deleted (rules 3 and 15). What ends it is gone on with by the next run of any kind.
 *
 * @returns how many spans were read; fewer where one cannot be finished now, and says why.
 */
export async function repairSpans(
  context: StreamContext,
  options: StreamOptions,
  spans: readonly Span[],
): Promise<number> {
  for (const [at, span] of spans.entries()) {
    for (let attempt = 1; !(await openRefresh(context, span)); attempt++) {
      if (attempt === TRIES) {
        options.warn(
          `${context.stream.name}: ${at} of ${spans.length} spans were read again; the others wait until the last of these is finished`,
        );
        return at;
      }
      context.signal.throwIfAborted();
      await syncStream(context, options);
    }
    context.signal.throwIfAborted();
    await syncStream(context, options);
  }
  return spans.length;
}
